/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The nodes every domain has in xenstore, and who may touch them.
 *
 *   /local/domain/ID          n0,rID  read by the guest
 *     control/shutdown ...    nID     the guest's own: requests arrive, answers leave
 *     device data drivers ... nID
 *   /vm/UUID, /libxl/ID       what other tools look up
 *
 * What control domains make belongs to whom its parent belongs to, missing parents made on the way included: only
 * where that changes are permissions set, and only what holds nothing is made by itself.
 */
#include "serai.h"

#include <errno.h>
#include <string.h>
#include <sys/time.h>

int store_fail(struct serai *s, int err, const char *what, domid_t dom)
{
	if (err == -ENOSPC)
		return serai_fail(s, err,
				  "domain %u: xenstored refuses %s: the quota is used up (xenstore-control "
				  "quota shows the limits)",
				  dom, what);
	return serai_fail(s, err, "domain %u: xenstore: %s: %s", dom, what, strerror(-err));
}

struct maker {
	struct serai *s;
	uint32_t tx;
	char base[96];
	char ro[32], rw[32];
};

static void put(struct maker *m, const char *key, const char *perms, const char *value)
{
	char path[256];

	snprintf(path, sizeof(path), "%s%s%s", m->base, *key ? "/" : "", key);
	if (value)
		store_write(m->s->store, m->tx, path, value);
	else
		store_mkdir(m->s->store, m->tx, path);
	if (perms)
		store_perms(m->s->store, m->tx, path, perms);
}

static void put_long(struct maker *m, const char *key, const char *perms, unsigned long v)
{
	char t[24];

	snprintf(t, sizeof(t), "%lu", v);
	put(m, key, perms, t);
}

static void domain_nodes(struct maker *m, const struct domain_config *c, const char *vm)
{
	static const char *const guest_owned[] = {"device/suspend/event-channel",
						  "control/shutdown",
						  "control/feature-poweroff",
						  "control/feature-reboot",
						  "control/feature-suspend",
						  "control/sysrq",
						  "data",
						  "drivers",
						  "feature",
						  "attr",
						  "error"};
	char key[40];

	put(m, "", m->ro, NULL);
	put(m, "vm", NULL, vm);
	put(m, "name", NULL, c->name);
	for (unsigned int i = 0; i < c->maxvcpus; i++) {
		snprintf(key, sizeof(key), "cpu/%u/availability", i);
		put(m, key, NULL, i < c->vcpus ? "online" : "offline");
	}
	put_long(m, "memory/static-max", NULL, c->maxmem_kib);
	put_long(m, "memory/target", NULL, c->mem_kib);
	put(m, "memory/videoram", NULL, "0");
	for (size_t i = 0; i < sizeof(guest_owned) / sizeof(guest_owned[0]); i++)
		put(m, guest_owned[i], m->rw, NULL);
	put(m, "control/platform-feature-multiprocessor-suspend", NULL, "1");
	put(m, "control/platform-feature-xs_reset_watches", NULL, "1");
}

static void vm_nodes(struct maker *m, const struct domain_config *c, const char *uuid)
{
	struct timeval now;
	char t[40];

	gettimeofday(&now, NULL);
	put(m, "", m->ro, NULL);
	put(m, "name", NULL, c->name);
	put(m, "uuid", NULL, uuid);
	put(m, "image/ostype", NULL, "linux");
	put(m, "image/kernel", NULL, c->kernel ? c->kernel : "");
	if (c->ramdisk)
		put(m, "image/ramdisk", NULL, c->ramdisk);
	put(m, "image/cmdline", NULL, c->cmdline ? c->cmdline : "");
	snprintf(t, sizeof(t), "%lu.%02lu", (unsigned long)now.tv_sec, (unsigned long)now.tv_usec / 10000);
	put(m, "start_time", NULL, t);
}

int nodes_create(struct serai *s, const struct domain_config *c, domid_t dom, domid_t dom0)
{
	struct maker m = {.s = s};
	char uuid[37], vm[64];
	int rc;

	uuid_format(c->uuid, uuid);
	snprintf(vm, sizeof(vm), "/vm/%s", uuid);
	snprintf(m.ro, sizeof(m.ro), "n%u,r%u", dom0, dom);
	snprintf(m.rw, sizeof(m.rw), "n%u", dom);
	for (;;) {
		rc = store_tx_begin(s->store, &m.tx);
		if (rc < 0)
			break;
		store_batch_begin(s->store);
		snprintf(m.base, sizeof(m.base), "/local/domain/%u", dom);
		store_rm(s->store, m.tx, m.base); /* usually there is nothing: not an error */
		domain_nodes(&m, c, vm);
		snprintf(m.base, sizeof(m.base), "%s", vm);
		vm_nodes(&m, c, uuid);
		snprintf(m.base, sizeof(m.base), "/libxl/%u", dom);
		put(&m, "", "n0", NULL);
		put(&m, "type", NULL, c->type);
		put(&m, "dm-version", NULL, "qemu_xen");
		rc = store_batch_end(s->store);
		if (rc < 0) {
			store_tx_end(s->store, m.tx, false);
			break;
		}
		rc = store_tx_end(s->store, m.tx, true);
		if (rc != -EAGAIN)
			break;
	}
	return rc < 0 ? store_fail(s, rc, "its first nodes", dom) : 0;
}

/* The console's nodes: the guest reads the ring's frame, xenconsoled serves "type". */
static void console_nodes(struct maker *m, domid_t dom, const struct domain_ports *p)
{
	char be[80], fe[64], guest[32];

	snprintf(fe, sizeof(fe), "/local/domain/%u/console", dom);
	snprintf(be, sizeof(be), "/local/domain/0/backend/console/%u/0", dom);
	snprintf(guest, sizeof(guest), "n%u,r0", dom);
	snprintf(m->base, sizeof(m->base), "%s", fe);
	put(m, "backend", NULL, be);
	put(m, "backend-id", guest, "0");
	put(m, "limit", NULL, "1048576");
	put(m, "type", NULL, "xenconsoled");
	put(m, "output", NULL, "pty");
	put(m, "tty", NULL, "");
	put_long(m, "port", NULL, p->console);
	put_long(m, "ring-ref", NULL, p->console_mfn);
	snprintf(m->base, sizeof(m->base), "%s", be);
	put(m, "", m->ro, NULL);
	put(m, "frontend", NULL, fe);
	put_long(m, "frontend-id", NULL, dom);
	put(m, "online", NULL, "1");
	put(m, "state", NULL, "1");
	put(m, "protocol", NULL, "vt100");
	snprintf(m->base, sizeof(m->base), "/libxl/%u/device/console/0", dom);
	put(m, "frontend", NULL, fe);
	put(m, "backend", NULL, be);
}

int nodes_introduce(struct serai *s, const struct domain_config *c, domid_t dom, const struct domain_ports *p)
{
	struct maker m = {.s = s};
	int rc;

	(void)c;
	snprintf(m.ro, sizeof(m.ro), "n0,r%u", dom);
	snprintf(m.rw, sizeof(m.rw), "n%u", dom);
	store_batch_begin(s->store);
	snprintf(m.base, sizeof(m.base), "/local/domain/%u", dom);
	put_long(&m, "domid", NULL, dom);
	put_long(&m, "store/port", NULL, p->store);
	put_long(&m, "store/ring-ref", NULL, p->store_mfn);
	console_nodes(&m, dom, p);
	rc = store_batch_end(s->store);
	if (rc < 0)
		return store_fail(s, rc, "its console", dom);
	rc = store_introduce(s->store, dom, p->store_mfn, p->store);
	return rc < 0 ? store_fail(s, rc, "introducing it", dom) : 0;
}

int nodes_remove(struct serai *s, domid_t dom)
{
	char path[64], *vm = store_readf(s->store, 0, "/local/domain/%u/vm", dom);

	if (vm)
		store_rm(s->store, 0, vm);
	free(vm);
	snprintf(path, sizeof(path), "/local/domain/%u", dom);
	store_rm(s->store, 0, path);
	snprintf(path, sizeof(path), "/libxl/%u", dom);
	store_rm(s->store, 0, path);
	snprintf(path, sizeof(path), BACKENDS "/console/%u", dom);
	store_prune(s->store, path, BACKENDS);
	return 0;
}

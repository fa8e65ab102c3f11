/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Split devices in xenstore. Three directories a device:
 *
 *   /local/domain/DOM/device/KIND/ID            frontend: written by the guest
 *   /local/domain/0/backend/KIND/DOM/ID         backend: written by dom0's driver
 *   /libxl/DOM/device/KIND/ID                   what the device was meant to be, guest cannot touch it
 *
 * States (xenbus): 1 initialising, 2 init-wait, 3 initialised, 4 connected, 5 closing, 6 closed.
 */
#include "nbd.h"
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define BACKEND_TIMEOUT_MS 40000

/* Who may touch it is what is so for the directory. */
static void put(struct serai *s, uint32_t tx, const char *dir, const char *key, const char *value)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, key);
	store_write(s->store, tx, path, value);
}

static void directory(struct serai *s, uint32_t tx, const char *dir, const char *perms)
{
	store_mkdir(s->store, tx, dir);
	store_perms(s->store, tx, dir, perms);
}

int device_add(struct serai *s, domid_t dom, const char *kind, unsigned int devid, const struct kv *front,
	       unsigned int nr_front, const struct kv *back, unsigned int nr_back)
{
	char fe[96], be[96], lx[96], guest[32], ro[32], id[16];
	uint32_t tx;
	int rc;

	snprintf(fe, sizeof(fe), "/local/domain/%u/device/%s/%u", dom, kind, devid);
	snprintf(be, sizeof(be), "/local/domain/0/backend/%s/%u/%u", kind, dom, devid);
	snprintf(lx, sizeof(lx), "/libxl/%u/device/%s/%u", dom, kind, devid);
	snprintf(guest, sizeof(guest), "n%u,r0", dom);
	snprintf(ro, sizeof(ro), "n0,r%u", dom);
	snprintf(id, sizeof(id), "%u", dom);
	do {
		rc = store_tx_begin(s->store, &tx);
		if (rc < 0)
			break;
		store_batch_begin(s->store);
		directory(s, tx, fe, guest);
		directory(s, tx, be, ro);
		put(s, tx, fe, "backend", be);
		put(s, tx, fe, "backend-id", "0");
		put(s, tx, lx, "frontend", fe);
		put(s, tx, lx, "backend", be);
		put(s, tx, be, "frontend", fe);
		put(s, tx, be, "frontend-id", id);
		for (unsigned int i = 0; i < nr_front; i++)
			put(s, tx, fe, front[i].key, front[i].value);
		for (unsigned int i = 0; i < nr_back; i++) {
			put(s, tx, be, back[i].key, back[i].value);
			put(s, tx, lx, back[i].key, back[i].value);
		}
		/* State comes last in the order of writes, but the transaction makes all appear at once. */
		put(s, tx, fe, "state", "1");
		put(s, tx, be, "online", "1");
		put(s, tx, be, "state", "1");
		rc = store_batch_end(s->store);
		if (rc < 0) {
			store_tx_end(s->store, tx, false);
			break;
		}
		rc = store_tx_end(s->store, tx, true);
	} while (rc == -EAGAIN);
	return rc < 0 ? store_fail(s, rc, be, dom) : 0;
}

int device_wait(struct serai *s, const char *path, unsigned int state, int timeout_ms)
{
	int rc = store_watch(s->store, path, "device-state");
	char *p, *token;

	if (rc < 0)
		return rc;
	for (;;) {
		long v;

		rc = store_read_int(s->store, path, &v);
		/* A node that is gone is a device that closed. */
		if ((rc == 0 && v == state) || (rc == -ENOENT && state == 6)) {
			rc = 0;
			break;
		}
		rc = store_event(s->store, timeout_ms, &p, &token);
		if (rc <= 0) {
			rc = rc ? rc : -ETIMEDOUT;
			break;
		}
		free(p);
	}
	store_unwatch(s->store, path, "device-state");
	return rc;
}

/* Wait for dom0's driver to take the device up. */
static int backend_ready(struct serai *s, domid_t dom, const char *kind, unsigned int devid)
{
	char path[128];
	int rc;

	snprintf(path, sizeof(path), "/local/domain/0/backend/%s/%u/%u/state", kind, dom, devid);
	rc = device_wait(s, path, 2, BACKEND_TIMEOUT_MS);
	if (rc == -ETIMEDOUT)
		return serai_fail(s, rc,
				  "domain %u: no driver took up its %s device %u in %d s: is xen-%s loaded?",
				  dom, kind, devid, BACKEND_TIMEOUT_MS / 1000,
				  !strcmp(kind, "vbd") ? "blkback" : "netback");
	return rc < 0 ? store_fail(s, rc, path, dom) : 0;
}

int device_hotplugged(struct serai *s, domid_t dom, const char *kind, unsigned int devid)
{
	char path[128];
	int rc;

	snprintf(path, sizeof(path), "/local/domain/0/backend/%s/%u/%u/hotplug-status", kind, dom, devid);
	rc = store_write(s->store, 0, path, "connected");
	return rc < 0 ? store_fail(s, rc, path, dom) : 0;
}

/* An administrator's own hotplug script, with the environment such scripts expect. */
int device_script(struct serai *s, domid_t dom, const char *kind, unsigned int devid, const char *script,
		  const char *verb, const char *ifname)
{
	char path[128], *why;
	int rc;
	pid_t pid;

	if (!strcmp(verb, "add") || !strcmp(verb, "online")) {
		rc = backend_ready(s, dom, kind, devid);
		if (rc < 0)
			return rc;
	}
	snprintf(path, sizeof(path), "backend/%s/%u/%u", kind, dom, devid);
	pid = fork();
	if (pid < 0)
		return serai_fail(s, -errno, "cannot run %s: %s", script, strerror(errno));
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 0);
		dup2(null, 1);
		setenv("script", script, 1);
		setenv("XENBUS_TYPE", kind, 1);
		setenv("XENBUS_PATH", path, 1);
		setenv("XENBUS_BASE_PATH", "backend", 1);
		if (ifname) {
			setenv("vif", ifname, 1);
			setenv("netdev", ifname, 1);
			setenv("INTERFACE", ifname, 1);
		}
		if (ifname)
			execl(script, script, verb, "type_if=vif", (char *)NULL);
		else
			execl(script, script, verb, (char *)NULL);
		_exit(127);
	}
	if (process_status(pid) == 0)
		return 0;
	why = store_readf(s->store, 0, "/local/domain/0/%s/hotplug-error", path);
	rc = serai_fail(s, -EIO, "domain %u: %s %s failed for %s: %s", dom, script, verb, path,
			why ? why : "it left no reason in hotplug-error");
	free(why);
	return rc;
}

/* Give back what the host holds for a block device. */
static void block_release(struct serai *s, const char *be)
{
	char *loop = store_readf(s->store, 0, "%s/loop-device", be);
	char *nbd = store_readf(s->store, 0, "%s/nbd-device", be);

	if (loop)
		loop_detach(loop);
	if (nbd)
		nbd_detach(s, &nbd_this_host, nbd);
	free(loop);
	free(nbd);
}

/* Take a device away: ask the frontend politely unless force, then remove the nodes. */
int device_detach(struct serai *s, domid_t dom, const char *kind, unsigned int devid, bool force)
{
	char be[96], top[64], path[128], *script;
	uint32_t tx;
	int rc;

	snprintf(be, sizeof(be), "/local/domain/0/backend/%s/%u/%u", kind, dom, devid);
	snprintf(path, sizeof(path), "%s/state", be);
	if (!force) {
		long v;

		if (store_read_int(s->store, path, &v) < 0)
			return serai_fail(s, -ENOENT, "domain %u has no %s device %u", dom, kind, devid);
		do {
			if ((rc = store_tx_begin(s->store, &tx)) < 0)
				break;
			put(s, tx, be, "online", "0");
			if (v < 5)
				put(s, tx, be, "state", "5");
			rc = store_tx_end(s->store, tx, true);
		} while (rc == -EAGAIN);
		if (rc < 0)
			return store_fail(s, rc, path, dom);
		rc = device_wait(s, path, 6, 10000);
		if (rc < 0)
			return serai_fail(
				s, rc,
				"domain %u: %s device %u is still in use by the guest (--force takes it "
				"away)",
				dom, kind, devid);
	}
	script = store_readf(s->store, 0, "%s/serai-script", be);
	if (script)
		device_script(s, dom, kind, devid, script, !strcmp(kind, "vbd") ? "remove" : "offline", NULL);
	free(script);
	if (!strcmp(kind, "vbd"))
		block_release(s, be);
	store_prune(s->store, be, BACKENDS);
	snprintf(top, sizeof(top), "/local/domain/%u/device", dom);
	snprintf(path, sizeof(path), "%s/%s/%u", top, kind, devid);
	store_prune(s->store, path, top);
	snprintf(top, sizeof(top), "/libxl/%u/device", dom);
	snprintf(path, sizeof(path), "%s/%s/%u", top, kind, devid);
	store_prune(s->store, path, top);
	return 0;
}

int devices_destroy(struct serai *s, domid_t dom)
{
	static const char *const kinds[] = {"vbd", "vif"};

	for (unsigned int k = 0; k < 2; k++) {
		char dir[96], **ids, path[160];
		unsigned int n = 0;

		snprintf(dir, sizeof(dir), "/libxl/%u/device/%s", dom, kinds[k]);
		ids = store_directory(s->store, 0, dir, &n);
		if (!ids)
			continue;
		/* Ask all backends to close first, so that they do it side by side. */
		for (unsigned int i = 0; i < n; i++) {
			snprintf(path, sizeof(path), "/local/domain/0/backend/%s/%u/%s", kinds[k], dom,
				 ids[i]);
			put(s, 0, path, "online", "0");
			put(s, 0, path, "state", "5");
			/*
			 * Say in the guest's place that it closed: the backend answers with its own end. Were the
			 * frontend's nodes gone, the backend would go without a word, and we would wait for one.
			 */
			snprintf(path, sizeof(path), "/local/domain/%u/device/%s/%s/state", dom, kinds[k],
				 ids[i]);
			store_write(s->store, 0, path, "6");
		}
		for (unsigned int i = 0; i < n; i++) {
			snprintf(path, sizeof(path), "/local/domain/0/backend/%s/%u/%s/state", kinds[k], dom,
				 ids[i]);
			device_wait(s, path, 6, 10000);
			device_detach(s, dom, kinds[k], strtoul(ids[i], NULL, 10), true);
		}
		free(ids);
		snprintf(dir, sizeof(dir), "/local/domain/0/backend/%s/%u", kinds[k], dom);
		store_prune(s->store, dir, BACKENDS);
	}
	return 0;
}

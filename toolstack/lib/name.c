/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names and numbers of domains. Xenstore holds the names; the hypervisor decides who exists.
 */
#include "serai.h"

#include <errno.h>
#include <string.h>

int domain_list(struct serai *s, struct xen_domctl_getdomaininfo **list, unsigned int *n)
{
	enum { BATCH = 64 };
	struct xen_domctl_getdomaininfo *v = NULL;
	unsigned int used = 0;
	domid_t next = 0;

	*list = NULL;
	*n = 0;
	for (;;) {
		struct xen_domctl_getdomaininfo *more = realloc(v, (used + BATCH) * sizeof(*v));
		int got;

		if (!more) {
			free(v);
			return serai_fail(s, -ENOMEM, "out of memory");
		}
		v = more;
		got = xc_domain_list(s->xc, next, BATCH, v + used);
		if (got < 0) {
			free(v);
			return serai_fail_xc(s, got, "cannot list the domains");
		}
		used += got;
		if (got < BATCH)
			break;
		next = v[used - 1].domain + 1;
	}
	*list = v;
	*n = used;
	return 0;
}

char *domain_name(struct serai *s, domid_t dom)
{
	char *t = store_readf(s->store, 0, "/local/domain/%u/name", dom);

	return t ? t : strdup("(null)");
}

int domain_find(struct serai *s, const char *what, domid_t *dom)
{
	struct xen_domctl_getdomaininfo *list;
	unsigned int n;
	char *end;
	long id = strtol(what, &end, 10);
	int rc = domain_list(s, &list, &n);

	*dom = DOMID_INVALID;
	if (rc < 0)
		return rc;
	rc = -ESRCH;
	for (unsigned int i = 0; i < n && rc; i++) {
		if (!*end && *what) {
			rc = list[i].domain == id ? 0 : -ESRCH;
		} else {
			char *name = domain_name(s, list[i].domain);

			rc = strcmp(name, what) ? -ESRCH : 0;
			free(name);
		}
		*dom = list[i].domain;
	}
	free(list);
	if (rc < 0)
		return serai_fail(s, rc, "there is no domain \"%s\" (serai list shows those there are)",
				  what);
	return 0;
}

int domain_rename(struct serai *s, domid_t dom, const char *name)
{
	domid_t other;
	char path[64], *vm;
	int rc;

	if (strpbrk(name, "/ \t\n") || !*name || strspn(name, "0123456789") == strlen(name))
		return serai_fail(s, -EINVAL, "\"%s\" cannot be a domain's name", name);
	if (domain_find(s, name, &other) == 0 && other != dom)
		return serai_fail(s, -EEXIST, "a domain called \"%s\" exists already (number %u)", name,
				  other);
	snprintf(path, sizeof(path), "/local/domain/%u/name", dom);
	rc = store_write(s->store, 0, path, name);
	if (rc < 0)
		return store_fail(s, rc, path, dom);
	vm = store_readf(s->store, 0, "/local/domain/%u/vm", dom);
	if (vm) {
		char vmpath[128];

		snprintf(vmpath, sizeof(vmpath), "%.100s/name", vm);
		store_write(s->store, 0, vmpath, name);
		free(vm);
	}
	return 0;
}

/* What /vm says of a domain, under its new UUID. */
static int vm_move(struct serai *s, domid_t dom, const char *name, const uint8_t uuid[16])
{
	static const char *const keys[] = {"image/ostype", "image/kernel", "image/ramdisk", "image/cmdline",
					   "start_time"};
	char *old = store_readf(s->store, 0, "/local/domain/%u/vm", dom), text[37], vm[48], path[128];
	int rc;

	uuid_format(uuid, text);
	snprintf(vm, sizeof(vm), "/vm/%s", text);
	for (size_t i = 0; old && i < sizeof(keys) / sizeof(keys[0]); i++) {
		char *value = store_readf(s->store, 0, "%s/%s", old, keys[i]);

		snprintf(path, sizeof(path), "%s/%s", vm, keys[i]);
		if (value)
			store_write(s->store, 0, path, value);
		free(value);
	}
	snprintf(path, sizeof(path), "%s/uuid", vm);
	store_write(s->store, 0, path, text);
	snprintf(path, sizeof(path), "%s/name", vm);
	store_write(s->store, 0, path, name);
	snprintf(path, sizeof(path), "/local/domain/%u/vm", dom);
	rc = store_write(s->store, 0, path, vm);
	if (rc == 0 && old)
		store_rm(s->store, 0, old);
	free(old);
	return rc < 0 ? store_fail(s, rc, path, dom) : 0;
}

int domain_preserve(struct serai *s, domid_t dom, const char *name)
{
	struct xen_domctl_getdomaininfo info;
	struct domain_config c;
	uint8_t uuid[16];
	bool recorded;
	int rc = xc_domain_info(s->xc, dom, &info);

	if (rc < 0)
		return serai_fail(s, rc, "there is no domain %u", dom);
	if ((rc = domain_rename(s, dom, name)) < 0)
		return rc;
	recorded = record_load(s, dom, &c) == 0;
	uuid_random(uuid);
	rc = xc_domain_set_handle(s->xc, dom, uuid);
	if (rc < 0)
		serai_fail_xc(s, rc, "domain %u keeps its UUID", dom);
	else
		rc = vm_move(s, dom, name, uuid);
	if (recorded) {
		if (rc == 0) {
			record_remove(s, dom, info.handle);
			memcpy(c.uuid, uuid, sizeof(uuid));
			free(c.name);
			c.name = strdup(name);
			rc = c.name ? record_save(s, dom, &c) : -ENOMEM;
		}
		config_free(&c);
	}
	return rc;
}

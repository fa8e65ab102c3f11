/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ending a domain: by asking it, or without asking.
 */
#include "process.h"
#include "serai.h"

#include <errno.h>
#include <string.h>

int domain_destroy(struct serai *s, domid_t dom)
{
	struct xen_domctl_getdomaininfo info;
	int rc;

	if (dom == 0)
		return serai_fail(s, -EINVAL, "domain 0 controls this host and cannot be destroyed");
	rc = xc_domain_info(s->xc, dom, &info);
	if (rc < 0)
		return serai_fail(s, rc, "there is no domain %u", dom);
	xc_domain_pause(s->xc, dom); /* no more writes while its devices go */
	devices_destroy(s, dom);
	rc = xc_domain_destroy(s->xc, dom);
	if (rc < 0)
		return serai_fail_xc(s, rc, "domain %u: not destroyed", dom);
	store_release(s->store, dom); /* daemons that missed the event let go of its rings */
	nodes_remove(s, dom);
	record_remove(s, dom, info.handle);
	return 0;
}

int domain_request(struct serai *s, domid_t dom, const char *what)
{
	char path[64];
	int rc;

	snprintf(path, sizeof(path), "/local/domain/%u/control/shutdown", dom);
	rc = store_write(s->store, 0, path, what);
	return rc < 0 ? store_fail(s, rc, path, dom) : 0;
}

int domain_wait_shutdown(struct serai *s, domid_t dom, int timeout_ms, int *reason)
{
	long end = clock_ms() + timeout_ms;
	int rc = store_watch(s->store, "@releaseDomain", "wait-shutdown");

	if (rc < 0)
		return store_fail(s, rc, "watching for its end", dom);
	for (;;) {
		struct xen_domctl_getdomaininfo info;
		char *path, *token;

		if (xc_domain_info(s->xc, dom, &info) < 0 || (info.flags & XEN_DOMINF_dying)) {
			rc = 1;
			break;
		}
		if (info.flags & XEN_DOMINF_shutdown) {
			*reason = info.flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask;
			rc = 0;
			break;
		}
		rc = store_event(s->store,
				 timeout_ms < 0     ? -1
				 : end > clock_ms() ? end - clock_ms()
						    : 0,
				 &path, &token);
		if (rc == 0)
			rc = serai_fail(s, -ETIMEDOUT, "domain %u did not shut down in %d s", dom,
					timeout_ms / 1000);
		if (rc < 0)
			break;
		free(path);
	}
	store_unwatch(s->store, "@releaseDomain", "wait-shutdown");
	return rc;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hypervisor's console in a log of its own. It tells of new text by a virtual interrupt; the
 * text is read from where we stopped.
 */
#include "consoled.h"

#include <string.h>

static void hv_read(struct daemon *d)
{
	char buf[16384];
	size_t n;

	do {
		n = sizeof(buf);
		if (xc_readconsole(d->xc, buf, &n, false, true, &d->hv_index) < 0) {
			say(d, "the hypervisor's console cannot be read: %s", xc_error(d->xc));
			return;
		}
		(void)log_write(&d->hv_log, buf, n, now_s());
	} while (n == sizeof(buf));
}

void hv_open(struct daemon *d)
{
	int rc;

	if (!d->o.log_hv)
		return;
	log_init(&d->hv_log, &d->policy, "hypervisor", d->o.stamp_hv);
	rc = xc_event_bind_virq(d->event, VIRQ_CON_RING, &d->hv_port);
	if (rc < 0) {
		say(d, "no news of the hypervisor's console: %s (does another daemon have it?)",
		    strerror(-rc));
		return;
	}
	d->hv_bound = true;
	hv_read(d);
}

void hv_service(struct daemon *d)
{
	hv_read(d);
	(void)xc_event_unmask(d->event, d->hv_port);
}

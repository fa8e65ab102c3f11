/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests about domains: who is connected, and on whose behalf it acts. */
#include "store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* A domain id, read as Xen's daemon reads it: what is no number is 0. */
static int domid_argument(const struct request *r, size_t n, uint16_t *domid)
{
	char *text = request_string(r, n);
	unsigned long v;

	if (!text || !*text)
		return -EINVAL;
	v = strtoul(text, NULL, 10);
	if (v >= 0x7ff0u) /* the first id with a meaning of its own */
		return -EINVAL;
	*domid = v;
	return 0;
}

int request_introduce(struct request *r)
{
	unsigned long port;
	uint16_t domid;
	int rc = domid_argument(r, 0, &domid);

	if (!rc && request_strings(r) < 3)
		rc = -EINVAL;
	if (rc)
		return rc;
	port = strtoul(request_string(r, 2), NULL, 10);
	if (!port || port > UINT32_MAX || !domid)
		return -EINVAL;
	/* The frame is signed decimal on the wire. */
	rc = domain_introduce(r->s, domid, strtoll(request_string(r, 1), NULL, 10), port);
	if (rc)
		return -EINVAL;
	reply_ok(r);
	return 0;
}

int request_release(struct request *r)
{
	uint16_t domid;
	int rc = domid_argument(r, 0, &domid);

	if (!rc)
		rc = domain_release(r->s, domid);
	if (!rc)
		reply_ok(r);
	return rc;
}

int request_domain_path(struct request *r)
{
	char text[40];
	uint16_t domid;
	int rc = domid_argument(r, 0, &domid);

	if (rc)
		return rc;
	snprintf(text, sizeof(text), "/local/domain/%u", domid);
	reply_text(r, text);
	return 0;
}

int request_introduced(struct request *r)
{
	const struct domain *d;
	uint16_t domid;
	int rc = domid_argument(r, 0, &domid);

	if (rc)
		return rc;
	d = domain_find(r->s, domid);
	/* Domain 0 is there whether or not its kernel has a ring. */
	reply_text(r, !domid || (d && d->introduced) ? "T" : "F");
	return 0;
}

int request_resume(struct request *r)
{
	struct domain *d;
	uint16_t domid;
	int rc = domid_argument(r, 0, &domid);

	if (rc || !domid)
		return -EINVAL;
	d = domain_find(r->s, domid);
	if (!d || !d->introduced)
		return -ENOENT;
	d->shut_down = false;
	reply_ok(r);
	return 0;
}

int request_target(struct request *r)
{
	struct domain *d, *target;
	uint16_t domid, tdomid;
	int rc = domid_argument(r, 0, &domid);

	if (!rc)
		rc = domid_argument(r, 1, &tdomid);
	if (rc)
		return rc;
	d = domain_find(r->s, domid);
	target = domain_find(r->s, tdomid);
	if (!d || !d->introduced || !target || (tdomid && !target->introduced))
		return -ENOENT;
	/* Acting for the control domain would be acting as it. */
	d->target = tdomid ? tdomid : domid;
	reply_ok(r);
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Event channels through /dev/xen/evtchn. Reading the device yields a port number and masks it;
 * writing the number back unmasks it.
 */
#include "xc_internal.h"
#include "linux_abi.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xen/event_channel.h>

struct xc_event {
	int fd;
};

int xc_event_open(struct xc_event **out)
{
	struct xc_event *e = malloc(sizeof(*e));

	if (!e)
		return -ENOMEM;
	e->fd = open("/dev/xen/evtchn", O_RDWR | O_CLOEXEC);
	if (e->fd < 0) {
		int rc = -errno;

		free(e);
		return rc;
	}
	*out = e;
	return 0;
}

void xc_event_close(struct xc_event *e)
{
	if (!e)
		return;
	close(e->fd);
	free(e);
}

int xc_event_fd(const struct xc_event *e)
{
	return e->fd;
}

int xc_event_bind_virq(struct xc_event *e, unsigned int virq, evtchn_port_t *port)
{
	struct evtchn_virq_arg a = {.virq = virq};
	int rc = ioctl(e->fd, EVTCHN_BIND_VIRQ, &a);

	if (rc < 0)
		return -errno;
	*port = rc;
	return 0;
}

int xc_event_bind_interdomain(struct xc_event *e, domid_t dom, evtchn_port_t remote, evtchn_port_t *port)
{
	struct evtchn_interdomain_arg a = {.dom = dom, .port = remote};
	int rc = ioctl(e->fd, EVTCHN_BIND_INTERDOMAIN, &a);

	if (rc < 0)
		return -errno;
	*port = rc;
	return 0;
}

int xc_event_notify(struct xc_event *e, evtchn_port_t port)
{
	struct evtchn_port_arg a = {.port = port};

	return ioctl(e->fd, EVTCHN_NOTIFY, &a) < 0 ? -errno : 0;
}

int xc_event_unbind(struct xc_event *e, evtchn_port_t port)
{
	struct evtchn_port_arg a = {.port = port};

	return ioctl(e->fd, EVTCHN_UNBIND, &a) < 0 ? -errno : 0;
}

int xc_event_pending(struct xc_event *e, evtchn_port_t *port)
{
	uint32_t p;
	ssize_t n = read(e->fd, &p, sizeof(p));

	if (n < 0)
		return -errno;
	if (n != sizeof(p))
		return -EIO;
	*port = p;
	return 0;
}

int xc_event_unmask(struct xc_event *e, evtchn_port_t port)
{
	uint32_t p = port;

	return write(e->fd, &p, sizeof(p)) == sizeof(p) ? 0 : -errno;
}

int xc_event_alloc_unbound(struct xc *xc, domid_t dom, domid_t remote, evtchn_port_t *port)
{
	size_t mark = xc_mark(xc);
	struct evtchn_alloc_unbound *a = xc_buffer(xc, sizeof(*a));
	long rc;

	if (!a)
		return -ENOMEM;
	a->dom = dom;
	a->remote_dom = remote;
	rc = xc_hypercall(xc, __HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, (uintptr_t)a, 0, 0, 0);
	*port = a->port;
	xc_release(xc, mark);
	if (rc < 0)
		return xc_fail(xc, rc, "domain %u: no event channel for domain %u: %s", dom, remote,
			       strerror(-rc));
	return 0;
}

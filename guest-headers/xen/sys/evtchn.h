/* SPDX-License-Identifier: MIT */
/* Linux: ioctls of /dev/xen/evtchn. */
#ifndef __LINUX_PUBLIC_EVTCHN_H__
#define __LINUX_PUBLIC_EVTCHN_H__

#include <sys/ioctl.h>
#include "../xen.h"

#define IOCTL_EVTCHN_BIND_VIRQ _IOC(_IOC_NONE, 'E', 0, sizeof(struct ioctl_evtchn_bind_virq))
struct ioctl_evtchn_bind_virq {
	unsigned int virq;
};

#define IOCTL_EVTCHN_BIND_INTERDOMAIN _IOC(_IOC_NONE, 'E', 1, sizeof(struct ioctl_evtchn_bind_interdomain))
struct ioctl_evtchn_bind_interdomain {
	unsigned int remote_domain, remote_port;
};

#define IOCTL_EVTCHN_BIND_UNBOUND_PORT _IOC(_IOC_NONE, 'E', 2, sizeof(struct ioctl_evtchn_bind_unbound_port))
struct ioctl_evtchn_bind_unbound_port {
	unsigned int remote_domain;
};

#define IOCTL_EVTCHN_UNBIND _IOC(_IOC_NONE, 'E', 3, sizeof(struct ioctl_evtchn_unbind))
struct ioctl_evtchn_unbind {
	unsigned int port;
};

#define IOCTL_EVTCHN_NOTIFY _IOC(_IOC_NONE, 'E', 4, sizeof(struct ioctl_evtchn_notify))
struct ioctl_evtchn_notify {
	unsigned int port;
};

#define IOCTL_EVTCHN_RESET _IOC(_IOC_NONE, 'E', 5, 0)

#define IOCTL_EVTCHN_RESTRICT_DOMID _IOC(_IOC_NONE, 'E', 6, sizeof(struct ioctl_evtchn_restrict_domid))
struct ioctl_evtchn_restrict_domid {
	domid_t domid;
};

/* The layouts, pinned: size and place of the last member. */
#ifndef __ASSEMBLY__
XEN_ABI_SIZE(struct ioctl_evtchn_bind_virq, 4);
XEN_ABI_SIZE(struct ioctl_evtchn_bind_interdomain, 8);
XEN_ABI_OFFSET(struct ioctl_evtchn_bind_interdomain, remote_port, 4);
XEN_ABI_SIZE(struct ioctl_evtchn_bind_unbound_port, 4);
XEN_ABI_SIZE(struct ioctl_evtchn_unbind, 4);
XEN_ABI_SIZE(struct ioctl_evtchn_notify, 4);
XEN_ABI_SIZE(struct ioctl_evtchn_restrict_domid, 2);
#endif

#endif

/* SPDX-License-Identifier: MIT */
/* Shared control page of a vchan. */
#include <stdint.h>
#include "../xen-compat.h"
#include <sys/types.h>

struct ring_shared {
	uint32_t cons, prod;
};

#define VCHAN_NOTIFY_WRITE 0x1
#define VCHAN_NOTIFY_READ 0x2

struct vchan_interface {
	struct ring_shared left, right;
	uint16_t left_order, right_order;
	uint8_t cli_live, srv_live;
	uint8_t cli_notify, srv_notify;
	uint32_t grants[0];
};

/* The layouts, pinned: size and place of the last member. */
#ifndef __ASSEMBLY__
XEN_ABI_SIZE(struct ring_shared, 8);
XEN_ABI_OFFSET(struct ring_shared, prod, 4);
XEN_ABI_SIZE(struct vchan_interface, 24);
XEN_ABI_OFFSET(struct vchan_interface, grants, 24);
#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The console: console_io in the control domain, the shared ring in any other. A domain's ring
 * has one producer here; when it is full the kernel yields until the daemon has read.
 */
#include <xen/event_channel.h>
#include <xen/io/console.h>
#include <xen/sched.h>

#include "guest.h"

static volatile struct xencons_interface *ring;

void console_init(void)
{
	if (!is_dom0())
		ring = mfn_to_virt(start_info->console.domU.mfn);
}

static void ring_write(const char *s, size_t n)
{
	struct evtchn_send send = {.port = start_info->console.domU.evtchn};
	XENCONS_RING_IDX prod = ring->out_prod;

	for (; n; n--) {
		while (prod - ring->out_cons >= sizeof(ring->out)) {
			hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_send, (unsigned long)&send);
			hypercall2(__HYPERVISOR_sched_op, SCHEDOP_yield, 0);
		}
		ring->out[MASK_XENCONS_IDX(prod, ring->out)] = *s++;
		barrier();
		ring->out_prod = ++prod;
	}
	hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_send, (unsigned long)&send);
}

void console_write(const char *s, size_t n)
{
	if (ring)
		ring_write(s, n);
	else
		hypercall3(__HYPERVISOR_console_io, CONSOLEIO_write, n, (unsigned long)s);
}

void printk(const char *fmt, ...)
{
	char buf[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	if (n > (int)sizeof(buf) - 1)
		n = sizeof(buf) - 1;
	console_write(buf, (size_t)n);
}

const char *cmdline_option(const char *name, char *buf, size_t size)
{
	const char *p = (const char *)start_info->cmd_line;
	size_t len = strlen(name), n = 0;

	for (; *p; p++) {
		if ((p != (const char *)start_info->cmd_line && p[-1] != ' ') || strncmp(p, name, len) ||
		    p[len] != '=')
			continue;
		for (p += len + 1; *p && *p != ' ' && n + 1 < size; p++)
			buf[n++] = *p;
		buf[n] = 0;
		return buf;
	}
	return NULL;
}

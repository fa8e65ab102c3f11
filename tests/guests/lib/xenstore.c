/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A xenstore client for one request at a time, which polls its event channel. Watches are not for it. */
#include <xen/event_channel.h>
#include <xen/io/xs_wire.h>
#include <xen/sched.h>

#include "guest.h"

static volatile struct xenstore_domain_interface *ring(void)
{
	return mfn_to_virt(start_info->store_mfn);
}

static void tell(void)
{
	struct evtchn_send s = {.port = start_info->store_evtchn};

	hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_send, (unsigned long)&s);
}

static void wait(void)
{
	evtchn_port_t port = start_info->store_evtchn;
	struct sched_poll p = {.nr_ports = 1, .timeout = uptime_ns() + 20000000};

	set_xen_guest_handle(p.ports, &port);
	hypercall2(__HYPERVISOR_sched_op, SCHEDOP_poll, (unsigned long)&p);
	event_clear(port);
}

static void put(const void *data, size_t n)
{
	volatile struct xenstore_domain_interface *r = ring();
	const char *p = data;

	for (; n; n--) {
		while (r->req_prod - r->req_cons == XENSTORE_RING_SIZE)
			wait();
		r->req[MASK_XENSTORE_IDX(r->req_prod)] = *p++;
		barrier();
		r->req_prod++;
	}
}

static void get(void *data, size_t n)
{
	volatile struct xenstore_domain_interface *r = ring();
	char *p = data;

	for (; n; n--) {
		while (r->rsp_prod == r->rsp_cons)
			wait();
		*p++ = r->rsp[MASK_XENSTORE_IDX(r->rsp_cons)];
		barrier();
		r->rsp_cons++;
	}
}

static bool request(uint32_t type, const char *path, const char *value, char *buf, size_t size)
{
	size_t path_len = strlen(path) + 1, value_len = value ? strlen(value) : 0;
	struct xsd_sockmsg m = {.type = type, .len = (uint32_t)(path_len + value_len)};
	char c;

	put(&m, sizeof(m));
	put(path, path_len);
	put(value, value_len);
	tell();
	get(&m, sizeof(m));
	for (uint32_t i = 0; i < m.len; i++) {
		get(&c, 1);
		if (i + 1 < size)
			buf[i] = c;
	}
	if (size)
		buf[m.len < size ? m.len : size - 1] = 0;
	tell();
	return m.type == type;
}

bool store_read(const char *path, char *buf, size_t size)
{
	return request(XS_READ, path, NULL, buf, size);
}

bool store_write(const char *path, const char *value)
{
	return request(XS_WRITE, path, value, NULL, 0);
}

void store_pause(void)
{
	wait();
}

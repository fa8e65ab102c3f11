/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A xenstore client for one request at a time, which polls its event channel. Watch events that come before an answer
 * go to whoever asked for them.
 */
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
	struct sched_poll p = {.nr_ports = 1, .timeout = uptime_ns() + 200000000};

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

static store_event_fn *on_event;

void store_set_event_handler(store_event_fn *fn)
{
	on_event = fn;
}

/* The message's body: as much as fits, and a NUL. */
static void get_body(uint32_t len, char *buf, size_t size)
{
	char c;

	for (uint32_t i = 0; i < len; i++) {
		get(&c, 1);
		if (i + 1 < size)
			buf[i] = c;
	}
	if (size)
		buf[len < size ? len : size - 1] = 0;
	tell();
}

static void get_event(uint32_t len)
{
	static char body[XENSTORE_ABS_PATH_MAX + XENSTORE_REL_PATH_MAX];

	get_body(len, body, sizeof(body));
	if (on_event)
		on_event(body, body + strlen(body) + 1);
}

bool store_event(void)
{
	struct xsd_sockmsg m;

	if (ring()->rsp_prod == ring()->rsp_cons)
		return false;
	get(&m, sizeof(m));
	get_event(m.len);
	return true;
}

bool store_ask(uint32_t type, uint32_t tx, const void *body, size_t len, char *buf, size_t size)
{
	struct xsd_sockmsg m = {.type = type, .tx_id = tx, .len = (uint32_t)len};

	put(&m, sizeof(m));
	put(body, len);
	tell();
	for (;;) {
		get(&m, sizeof(m));
		if (m.type != XS_WATCH_EVENT)
			break;
		get_event(m.len);
	}
	get_body(m.len, buf, size);
	return m.type == type;
}

static bool request(uint32_t type, const char *path, const char *value, char *buf, size_t size)
{
	char body[256];
	size_t path_len = strlen(path) + 1, value_len = value ? strlen(value) : 0;

	if (path_len + value_len > sizeof(body))
		return false;
	memcpy(body, path, path_len);
	memcpy(body + path_len, value, value_len);
	return store_ask(type, 0, body, path_len + value_len, buf, size);
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

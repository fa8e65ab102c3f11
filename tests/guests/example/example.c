/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The example of docs/porting.md: prints, takes a timer interrupt, and as an ordinary domain
 * reads its name from xenstore and waits to be shut down. One vCPU, no memory management.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xen/callback.h>
#include <xen/event_channel.h>
#include <xen/io/console.h>
#include <xen/io/xs_wire.h>
#include <xen/sched.h>
#include <xen/xen.h>

/* [hypercall] */
static long hypercall(unsigned long nr, unsigned long a1, unsigned long a2, unsigned long a3)
{
	long ret;

	__asm__ volatile("syscall" : "=a"(ret) : "0"(nr), "D"(a1), "S"(a2), "d"(a3) : "rcx", "r11", "memory");
	return ret;
}
/* [end] */

#define VIRT_BASE 0xffffffff80000000UL
#define barrier() __asm__ volatile("" ::: "memory")

static struct start_info *si;
static struct shared_info *shared;

/* [console] */
static void *frame(unsigned long mfn)
{
	return (void *)(VIRT_BASE + (machine_to_phys_mapping[mfn] << 12));
}

static void notify(uint32_t port)
{
	struct evtchn_send s = {port};

	hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_send, (unsigned long)&s, 0);
}

static void print(const char *text)
{
	volatile struct xencons_interface *c;
	size_t n = 0;

	while (text[n])
		n++;
	if (si->flags & SIF_INITDOMAIN) {
		hypercall(__HYPERVISOR_console_io, CONSOLEIO_write, n, (unsigned long)text);
		return;
	}
	c = frame(si->console.domU.mfn);
	while (n) {
		if (c->out_prod - c->out_cons == sizeof(c->out)) {
			hypercall(__HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0);
			continue;
		}
		c->out[MASK_XENCONS_IDX(c->out_prod, c->out)] = *text++;
		n--;
		barrier();
		c->out_prod++;
	}
	notify(si->console.domU.evtchn);
}
/* [end] */

/* [upcall] */
static volatile bool fired[4096];

void event_upcall(void);
void event_upcall(void)
{
	struct vcpu_info *v = &shared->vcpu_info[0];
	unsigned long words, bits;

	v->evtchn_upcall_pending = 0;
	words = __atomic_exchange_n(&v->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
	for (; words; words &= words - 1) {
		unsigned int i = (unsigned int)__builtin_ctzl(words);

		bits = shared->evtchn_pending[i] & ~shared->evtchn_mask[i];
		__atomic_fetch_and(&shared->evtchn_pending[i], ~bits, __ATOMIC_SEQ_CST);
		for (; bits; bits &= bits - 1)
			fired[64 * i + (unsigned int)__builtin_ctzl(bits)] = true;
	}
}
/* [end] */

/* [events] */
extern const char event_entry[];
static char shared_page[4096] __attribute__((aligned(4096)));

static void unmask(uint32_t port)
{
	struct evtchn_unmask u = {port};

	hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_unmask, (unsigned long)&u, 0);
}

static bool events_init(void)
{
	struct callback_register cb = {CALLBACKTYPE_event, 0, (unsigned long)event_entry};
	unsigned int i;

	/* Over a page of our own: present, writable, user, accessed, dirty. */
	if (hypercall(__HYPERVISOR_update_va_mapping, (unsigned long)shared_page, si->shared_info | 0x67,
		      UVMF_INVLPG))
		return false;
	shared = (struct shared_info *)shared_page;
	for (i = 0; i < 64; i++)
		shared->evtchn_mask[i] = ~0UL;
	return !hypercall(__HYPERVISOR_callback_op, CALLBACKOP_register, (unsigned long)&cb, 0);
}

/* Sleeps until this port has fired. The mask is open while we sleep and while we run. */
static void wait_for(uint32_t port)
{
	for (;;) {
		shared->vcpu_info[0].evtchn_upcall_mask = 1;
		if (fired[port])
			break;
		hypercall(__HYPERVISOR_sched_op, SCHEDOP_block, 0, 0);
	}
	fired[port] = false;
	shared->vcpu_info[0].evtchn_upcall_mask = 0;
	barrier();
	if (shared->vcpu_info[0].evtchn_upcall_pending)
		hypercall(__HYPERVISOR_xen_version, 0, 0, 0);
}
/* [end] */

/* [timer] */
static bool timer_test(void)
{
	struct evtchn_bind_virq v = {.virq = VIRQ_TIMER, .vcpu = 0};
	uint64_t soon = shared->vcpu_info[0].time.system_time + 5000000;

	if (hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_bind_virq, (unsigned long)&v, 0))
		return false;
	unmask(v.port);
	hypercall(__HYPERVISOR_set_timer_op, soon, 0, 0);
	wait_for(v.port);
	return true;
}
/* [end] */

/* [xenstore] */
static volatile struct xenstore_domain_interface *xs;

static void xs_send(const void *data, uint32_t n)
{
	const char *p = data;

	for (; n; n--) {
		while (xs->req_prod - xs->req_cons == XENSTORE_RING_SIZE)
			wait_for(si->store_evtchn);
		xs->req[MASK_XENSTORE_IDX(xs->req_prod)] = *p++;
		barrier();
		xs->req_prod++;
	}
}

static void xs_receive(void *data, uint32_t n)
{
	char *p = data;

	for (; n; n--) {
		while (xs->rsp_prod == xs->rsp_cons)
			wait_for(si->store_evtchn);
		*p++ = xs->rsp[MASK_XENSTORE_IDX(xs->rsp_cons)];
		barrier();
		xs->rsp_cons++;
	}
	notify(si->store_evtchn);
}

/* One message in; what does not fit the buffer is dropped. Returns its type. */
static uint32_t xs_message(char *buf, uint32_t size)
{
	struct xsd_sockmsg m;
	uint32_t i;
	char c;

	xs_receive(&m, sizeof(m));
	for (i = 0; i < m.len; i++) {
		xs_receive(&c, 1);
		if (i + 1 < size)
			buf[i] = c;
	}
	buf[i < size ? i : size - 1] = 0;
	return m.type;
}

/* A request with one or two strings, each with its final zero (the last one without, for a write). */
static uint32_t xs_request(uint32_t type, const char *a, uint32_t a_len, const char *b, uint32_t b_len,
			   char *buf, uint32_t size)
{
	struct xsd_sockmsg m = {.type = type, .len = a_len + b_len};
	uint32_t answer;

	xs_send(&m, sizeof(m));
	xs_send(a, a_len);
	xs_send(b, b_len);
	notify(si->store_evtchn);
	do
		answer = xs_message(buf, size);
	while (answer == XS_WATCH_EVENT);
	return answer;
}
/* [end] */

/* [shutdown] */
#define NODE "control/shutdown"

static void __attribute__((noreturn)) stop(unsigned int reason)
{
	struct sched_shutdown s = {reason};

	for (;;)
		hypercall(__HYPERVISOR_sched_op, SCHEDOP_shutdown, (unsigned long)&s, 0);
}

static void __attribute__((noreturn)) serve(void)
{
	char buf[128];

	xs_request(XS_WATCH, NODE, sizeof(NODE), "t", 2, buf, sizeof(buf));
	for (;;) {
		if (xs_request(XS_READ, NODE, sizeof(NODE), NULL, 0, buf, sizeof(buf)) == XS_READ &&
		    (buf[0] == 'p' || buf[0] == 'r')) {
			unsigned int reason = buf[0] == 'r' ? SHUTDOWN_reboot : SHUTDOWN_poweroff;

			xs_request(XS_WRITE, NODE, sizeof(NODE), NULL, 0, buf, sizeof(buf));
			print("example: shutting down\n");
			stop(reason);
		}
		while (xs_message(buf, sizeof(buf)) != XS_WATCH_EVENT)
			;
	}
}
/* [end] */

void __attribute__((noreturn)) example_main(struct start_info *start);
void example_main(struct start_info *start)
{
	static char name[64];

	si = start;
	print("example: hello\n");
	if (!events_init() || !timer_test()) {
		print("example: no interrupt\n");
		stop(SHUTDOWN_crash);
	}
	print("example: took an interrupt\n");
	if (si->flags & SIF_INITDOMAIN)
		stop(SHUTDOWN_reboot);
	xs = frame(si->store_mfn);
	unmask(si->store_evtchn);
	if (xs_request(XS_READ, "name", 5, NULL, 0, name, sizeof(name)) == XS_READ) {
		print("example: my name is ");
		print(name);
		print("\n");
	}
	serve();
}

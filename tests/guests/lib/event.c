/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Event channels by the two-level ABI: one handler for all ports, called with upcalls masked. */
#include <xen/event_channel.h>

#include "guest.h"
#include "internal.h"

static char shared_page[PAGE_SIZE] __page_aligned;
struct shared_info *shared_info;
unsigned int upcall_count;
static event_handler_fn *handler;

void event_init(void)
{
	unsigned int i;

	if (update_va((unsigned long)shared_page,
		      start_info->shared_info | PTE_P | PTE_W | PTE_A | PTE_D | PTE_U, UVMF_INVLPG))
		return;
	shared_info = (struct shared_info *)shared_page;
	for (i = 0; i < 64; i++)
		shared_info->evtchn_mask[i] = ~0UL;
}

void event_set_handler(event_handler_fn *fn)
{
	handler = fn;
}

void event_mask(uint32_t port)
{
	__atomic_fetch_or(&shared_info->evtchn_mask[port / 64], 1UL << (port % 64), __ATOMIC_SEQ_CST);
}

void event_unmask(uint32_t port)
{
	struct evtchn_unmask op = {.port = port};

	hypercall2(__HYPERVISOR_event_channel_op, EVTCHNOP_unmask, (unsigned long)&op);
}

bool event_pending(uint32_t port)
{
	return *(volatile xen_ulong_t *)&shared_info->evtchn_pending[port / 64] >> (port % 64) & 1;
}

void event_clear(uint32_t port)
{
	__atomic_fetch_and(&shared_info->evtchn_pending[port / 64], ~(1UL << (port % 64)), __ATOMIC_SEQ_CST);
}

void event_dispatch(void)
{
	struct vcpu_info *v = vcpu_info0;
	unsigned long sel, bits;

	upcall_count++;
	v->evtchn_upcall_pending = 0;
	sel = __atomic_exchange_n(&v->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
	for (; sel; sel &= sel - 1) {
		unsigned int word = (unsigned int)__builtin_ctzl(sel);

		for (;;) {
			uint32_t port;

			bits = __atomic_load_n(&shared_info->evtchn_pending[word], __ATOMIC_SEQ_CST) &
			       ~__atomic_load_n(&shared_info->evtchn_mask[word], __ATOMIC_SEQ_CST);
			if (!bits)
				break;
			port = word * 64 + (unsigned int)__builtin_ctzl(bits);
			event_clear(port);
			if (handler)
				handler(port);
		}
	}
}

/* Clearing the mask delivers nothing by itself; the way back from any hypercall does. */
void upcalls_on(void)
{
	*(volatile uint8_t *)&vcpu_info0->evtchn_upcall_mask = 0;
	barrier();
	if (*(volatile uint8_t *)&vcpu_info0->evtchn_upcall_pending)
		hypercall2(__HYPERVISOR_xen_version, 0, 0);
}

uint64_t uptime_ns(void)
{
	volatile struct vcpu_time_info *t = &vcpu_info0->time;
	uint32_t version;
	uint64_t ns, delta;

	do {
		version = t->version & ~1u;
		barrier();
		delta = rdtsc() - t->tsc_timestamp;
		if (t->tsc_shift >= 0)
			delta <<= t->tsc_shift;
		else
			delta >>= -t->tsc_shift;
		ns = t->system_time + (uint64_t)(((unsigned __int128)delta * t->tsc_to_system_mul) >> 32);
		barrier();
	} while (version != t->version);
	return ns;
}

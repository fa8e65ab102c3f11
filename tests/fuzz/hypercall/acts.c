/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What happens between hypercalls: guests write what they share with the hypervisor, timers fire, domains die. */
#include "shapes.h"
#include <core/mm/shadow.h>
#include <event.h>
#include <hypercall/grant.h>
#include <lib.h>
#include <rangeset.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <x86/irq/internal.h>
#include <xen/domctl.h>

/* An entry of the caller's grant table, as the layout in force has it. */
void act_write_grant(struct input *in, unsigned int how)
{
	const struct grant_table *gt = current->domain->grant;
	u32 ref = how % 12;
	u16 flags = (u16)(take(in) | (how & 0x80 ? GTF_sub_page : 0));
	domid_t who = (domid_t)value(in, K_DOM);
	u64 mfn = value(in, K_MFN);

	if (!(how & 0x40)) /* the usual case */
		flags = (u16)(GTF_permit_access | (flags & GTF_readonly));
	if (gt->version == 1) {
		*grant_v1(gt, ref) = (struct grant_entry_v1){flags, who, (u32)mfn};
		return;
	}
	grant_v2(gt, ref)->full_page = (__typeof__(grant_v2(gt, ref)->full_page)){{flags, who}, 0, mfn};
}

/* Any 8 bytes of a page shared with the hypervisor. */
void act_write_shared(struct input *in, unsigned int how)
{
	struct domain *d = current->domain;
	const struct grant_table *gt = d->grant;
	unsigned int at = take(in) * 16U + how % 16;
	u8 *page;

	switch (how / 16 % 4) {
	case 0:
		page = gt->shared[at % gt->nr_frames];
		break;
	case 1:
		if (gt->nr_status) {
			page = (u8 *)gt->status[0];
			break;
		}
		/* fall through */
	case 2:
		page = (u8 *)d->shared_info;
		break;
	default:
		page = (u8 *)current->vcpu_info;
		at %= sizeof(struct vcpu_info) - 8;
	}
	take_bytes(in, page + min(at, (unsigned int)PAGE_SIZE - 8), 8);
}

/* A word of a page of one's own, if it may be written: event words and control blocks among them. */
void act_write_own(struct input *in, unsigned int how)
{
	struct domain *d = current->domain;
	mfn_t m = machine.pool[d->id][how % POOL];
	unsigned int at = take(in) * 4U;
	struct frame *f = mfn_to_frame(m);

	if (!frame_get_and_type(f, d, FT_WRITABLE))
		return;
	if (how & 0x80)
		*(u64 *)((u8 *)map_frame(m) + (at & ~7U)) = value(in, K_PTE);
	else
		take_bytes(in, (u8 *)map_frame(m) + at, 4);
	frame_put_and_type(f);
}

void act_virq(struct input *in, unsigned int how)
{
	unsigned int virq = take(in) % NR_VIRQS;

	if (how & 1)
		evtchn_send_host_virq(virq);
	else if (how & 2)
		evtchn_send_pirq(current->domain, virq);
	else
		evtchn_send_virq(current, virq);
}

/* What the machine's handler does with a line or a message that guests have bound. */
void act_interrupt(struct input *in, unsigned int how)
{
	struct irq_desc *desc = &irq_descs[(how + take(in)) % nr_irqs];

	if (desc->masked)
		return;
	desc->masked = desc->level;
	for (unsigned int i = 0; i < desc->nr_guests; i++) {
		struct irq_guest *g = &desc->guests[i];

		desc->unacked += desc->level && !g->needs_eoi;
		g->needs_eoi |= desc->level;
		evtchn_send_pirq(g->d, g->pirq);
	}
}

static void fire(struct timer *t)
{
	if (!t->queued)
		return;
	t->queued = false;
	t->fn(t->data);
}

void act_timers(struct input *in, unsigned int how)
{
	(void)in;
	machine_now += how * 1000000UL;
	(void)vcpu_tick(machine_now);
	fire(&current->timers->singleshot);
	fire(&current->timers->poll);
}

void act_kill(struct input *in, unsigned int how)
{
	unsigned int i = 1 + take(in) % (NR_DOMAINS - 1);

	/* Rarely, or little else would happen. */
	if (how > 0xe0 && !machine.killed[i])
		machine_kill(i);
}

void act_log_dirty(struct input *in, unsigned int how)
{
	static const u32 ops[] = {XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY, XEN_DOMCTL_SHADOW_OP_CLEAN,
				  XEN_DOMCTL_SHADOW_OP_PEEK, XEN_DOMCTL_SHADOW_OP_OFF};
	struct xen_domctl_shadow_op op = {.op = ops[how % ARRAY_SIZE(ops)]};
	unsigned int i = 1 + how / 16 % (NR_DOMAINS - 1);
	struct vcpu *was = current;

	if (machine.killed[i] || machine.killed[0])
		return;
	current = machine.d[0]->vcpus[0];
	op.mode = take(in) & 3;
	op.pages = value(in, K_COUNT);
	op.dirty_bitmap.p = (u8 *)value(in, K_PTR);
	(void)mm_shadow_op(machine.d[i], &op);
	current = was;
	/* Faults of the guest, which make shadows. */
	for (unsigned int n = 0; machine.d[i]->mm->log_dirty && n < 4; n++)
		if (!mfn_eq(machine.d[i]->vcpus[0]->guest_table, INVALID_MFN)) {
			mm_lock(machine.d[i]);
			(void)shadow_fault(machine.d[i], machine.d[i]->vcpus[0]->guest_table, value(in, K_VA),
					   n & 1, false);
			mm_unlock(machine.d[i]);
		}
}

/* A set of ranges against a map of bits. */
void act_ranges(struct input *in, unsigned int how)
{
	struct iorange_list *l = NULL;
	bool model[64] = {false};

	for (unsigned int i = 0; i < how % 32; i++) {
		unsigned int first = take(in), n = first >> 6, add = n & 1;
		unsigned int last;

		first %= 64;
		last = min(first + take(in) % 16, 63U);
		if (add ? iorange_add(&l, first, last) : iorange_remove(&l, first, last))
			break;
		for (unsigned int b = first; b <= last; b++)
			model[b] = add;
		for (u32 r = 0; l && r + 1 < l->nr; r++)
			if (l->r[r].last + 1 >= l->r[r + 1].first)
				abort();
		for (unsigned int b = 0; b < 64; b++)
			if (iorange_contains(l, b, b) != model[b])
				abort();
	}
	iorange_destroy(&l);
}

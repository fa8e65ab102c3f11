/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One value of each kind out of a few bytes of input: mostly one that means something, sometimes a wild one. */
#include "shapes.h"
#include <hypercall/grant.h>
#include <lib.h>
#include <xen/xen.h>

void take_bytes(struct input *in, void *to, size_t n)
{
	for (u8 *p = to; n--; p++)
		*p = take(in);
}

static unsigned int me(void)
{
	return current->domain->id;
}

static u64 some_mfn(struct input *in)
{
	unsigned int how = take(in), i = how % POOL, who = how / POOL;
	const struct domain *d = current->domain;
	u64 raw = 0;

	switch (who) {
	case 0:
	case 1:
	case 2:
	case 3:
	case 4:
		return machine.pool[me()][i].n;
	case 5:
	case 6:
		return machine.pool[(me() + who - 4) % NR_DOMAINS][i].n;
	case 7:
		return virt_to_mfn(d->grant->shared[i % d->grant->nr_frames]).n;
	case 8:
		return i & 1 || !d->grant->nr_status ? virt_to_mfn(d->shared_info).n
						     : virt_to_mfn(d->grant->status[0]).n;
	case 9: /* what a call has just returned */
		return *(u64 *)&args_memory[2 * PAGE_SIZE + i * 8];
	default:
		take_bytes(in, &raw, how & 1 ? 2 : 8);
		return raw;
	}
}

static u64 some_address(struct input *in)
{
	static const u64 edges[] = {
		0, ARGS + ARGS_SIZE - 4, HV_VIRT_START - 8, HV_VIRT_END, HV_VIRT_START, ~0UL - 7, 1UL << 47,
	};
	unsigned int how = take(in), i = how % 32;

	switch (how / 32) {
	case 0:
	case 1:
	case 2:
		return LISTS + i * 8;
	case 3:
	case 4:
		return RESULTS + i * 8;
	case 5:
		return i * PAGE_SIZE;
	case 6:
		return i * PAGE_SIZE + take(in) * 16UL;
	default:
		return edges[i % ARRAY_SIZE(edges)];
	}
}

static u64 some_count(struct input *in)
{
	unsigned int how = take(in);
	u64 raw = 0;

	if (how < 64)
		return how;
	if (how < 192)
		return (how - 64) * 32;
	if (how < 208)
		return PAGE_SIZE - 8 * (how - 192);
	take_bytes(in, &raw, how & 7 ? how & 7 : 8);
	return raw;
}

static u64 some_domain(struct input *in)
{
	static const domid_t ids[] = {0, 1, 2,        DOMID_SELF, DOMID_SELF, 1,
				      2, 0, DOMID_IO, DOMID_XEN,  DOMID_IDLE, 7};
	unsigned int how = take(in);

	return how < 250 ? ids[how % ARRAY_SIZE(ids)] : how << 8 | take(in);
}

static u64 some_pte(struct input *in)
{
	static const u64 high[] = {0, 0, PTE_NX, PTE_GUEST_KERNEL, PTE_AVAIL, BIT(45), PTE_G, PTE_PWT};
	unsigned int how = take(in);

	return pte_make(MFN(some_mfn(in)), how & 0x9f ? how & 0xe7 : 0) | high[take(in) % ARRAY_SIZE(high)];
}

u64 value(struct input *in, enum kind kind)
{
	unsigned int how;

	switch (kind) {
	case K_COUNT:
		return some_count(in);
	case K_DOM:
		return some_domain(in);
	case K_VCPU:
		how = take(in);
		return how < 240 ? how % VCPUS_EACH : how;
	case K_PORT:
		how = take(in);
		return how < 200 ? how % 24 : (u64)(how - 199) * 127;
	case K_MFN:
		return some_mfn(in);
	case K_MADDR:
		how = take(in);
		return some_mfn(in) << PAGE_SHIFT | (how < 240 ? (how % 32) * 8UL : how * 8UL);
	case K_MAYBE_MADDR:
		return take(in) < 128 ? 0 : some_mfn(in) << PAGE_SHIFT;
	case K_PTE:
		return some_pte(in);
	case K_VA:
		return (take(in) % 32UL) << PAGE_SHIFT;
	case K_PTR:
		return some_address(in);
	case K_HOST:
		how = take(in);
		if (how < 160)
			return (how % 32UL) << PAGE_SHIFT;
		return how < 250 ? machine.pool[me()][POOL_MAPPED - 1].n << PAGE_SHIFT | (how % 32) * 8UL
				 : some_mfn(in) << PAGE_SHIFT;
	case K_REF:
		how = take(in);
		return how < 224 ? how % 12 : (u64)(how - 223) * 255;
	case K_IRQ:
		how = take(in);
		return how < 240 ? (u64)how % 36 - 1 : ~0UL << 4 * (how - 240);
	case K_ORDER:
		how = take(in);
		return how < 240 ? how % 4 : how - 240;
	default:
		return take(in);
	}
}

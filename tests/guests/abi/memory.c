/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * docs/abi/memory.md promises: reservation calls answer how many extents were done; frames given
 * back must be used nowhere; frames handed out are the domain's own, and it is told which.
 */
#include <xen/grant_table.h>
#include <xen/hvm/e820.h>
#include <xen/memory.h>

#include "guest.h"

static long memory(unsigned long cmd, void *arg)
{
	return hypercall2(__HYPERVISOR_memory_op, cmd, (unsigned long)arg);
}

static long reservation(unsigned int cmd, unsigned long *frames, unsigned long n, unsigned int order,
			unsigned int flags)
{
	struct xen_memory_reservation r = {
		.nr_extents = n, .extent_order = order, .mem_flags = flags, .domid = DOMID_SELF};

	set_xen_guest_handle(r.extent_start, frames);
	return memory(cmd, &r);
}

static long current(domid_t d)
{
	struct xen_memory_domain m = {d};

	return memory(XENMEM_current_reservation, &m);
}

CASE(XENMEM_current_reservation)
{
	check_eq(current(DOMID_SELF), start_info->nr_pages);
	record("no_domain", (uint64_t)current(0x7000));
}

CASE(XENMEM_maximum_reservation)
{
	struct xen_memory_domain m = {DOMID_SELF};

	record("self", (uint64_t)memory(XENMEM_maximum_reservation, &m));
	m.domid = 0x7000;
	record("no_domain", (uint64_t)memory(XENMEM_maximum_reservation, &m));
}

CASE(XENMEM_maximum_gpfn)
{
	struct xen_memory_domain m = {DOMID_SELF};

	record("self", (uint64_t)memory(XENMEM_maximum_gpfn, &m));
}

CASE(XENMEM_maximum_ram_page)
{
	/* Above every frame the domain has. */
	long top = memory(XENMEM_maximum_ram_page, NULL);
	unsigned long i;

	for (i = 0; i < start_info->nr_pages; i += 61)
		check((long)pfn_to_mfn(i) <= top);
}

/* One page out of the domain and back again. */
static char balloon[PAGE_SIZE] __page_aligned;

CASE(XENMEM_decrease_reservation)
{
	unsigned long mfn = virt_to_mfn(balloon), before = (unsigned long)current(DOMID_SELF);

	/* A mapping keeps the frame alive; with the last one it is gone. */
	check_eq(reservation(XENMEM_decrease_reservation, &mfn, 1, 0, 0), 1);
	check_eq(current(DOMID_SELF), before);
	check_eq(update_va((unsigned long)balloon, 0, UVMF_INVLPG), 0);
	check_eq(current(DOMID_SELF), before - 1);
	record("again", (uint64_t)reservation(XENMEM_decrease_reservation, &mfn, 1, 0, 0));
}

CASE(XENMEM_populate_physmap)
{
	unsigned long pfn = virt_to_pfn(balloon), mfn = pfn;

	check_eq(reservation(XENMEM_populate_physmap, &mfn, 1, 0, 0), 1);
	check_eq(machine_to_phys_mapping[mfn], pfn);
	pfn_to_mfn(pfn) = mfn;
	check_eq(set_writable(balloon), 0);
	*(volatile char *)balloon = 1;
	check_eq(current(DOMID_SELF), start_info->nr_pages);
}

CASE(XENMEM_increase_reservation)
{
	unsigned long mfn = virt_to_mfn(balloon), fresh = 0;

	check_eq(update_va((unsigned long)balloon, 0, UVMF_INVLPG), 0);
	check_eq(reservation(XENMEM_decrease_reservation, &mfn, 1, 0, 0), 1);
	check_eq(reservation(XENMEM_increase_reservation, &fresh, 1, 0, 0), 1);
	check(fresh != 0);
	check_eq(mmu_update_one(fresh << 12 | MMU_MACHPHYS_UPDATE, virt_to_pfn(balloon)), 0);
	pfn_to_mfn(virt_to_pfn(balloon)) = fresh;
	check_eq(set_writable(balloon), 0);
}

CASE(reservation_errors)
{
	unsigned long frame = 0;

	check_eq(reservation(XENMEM_populate_physmap, NULL, 0, 0, 0), 0);
	record("pointer", (uint64_t)reservation(XENMEM_populate_physmap, NULL, 1, 0, 0));
	record("order", (uint64_t)reservation(XENMEM_populate_physmap, &frame, 1, 40, 0));
	record("huge", (uint64_t)reservation(XENMEM_populate_physmap, &frame, ~0UL, 0, 0));
	frame = 0xfffffffff;
	record("no_frame", (uint64_t)reservation(XENMEM_decrease_reservation, &frame, 1, 0, 0));
}

CASE(XENMEM_exchange)
{
	unsigned long in = virt_to_mfn(balloon), out = virt_to_pfn(balloon);
	struct xen_memory_exchange x = {.in = {.nr_extents = 1, .domid = DOMID_SELF},
					.out = {.nr_extents = 1, .domid = DOMID_SELF}};

	set_xen_guest_handle(x.in.extent_start, &in);
	set_xen_guest_handle(x.out.extent_start, &out);
	x.in.extent_order = 1;
	record("unequal", (uint64_t)memory(XENMEM_exchange, &x));
	x.in.extent_order = 0;
	check_eq(update_va((unsigned long)balloon, 0, UVMF_INVLPG), 0);
	check_eq(memory(XENMEM_exchange, &x), 0);
	check_eq(x.nr_exchanged, 1);
	check_eq(machine_to_phys_mapping[out], virt_to_pfn(balloon));
	pfn_to_mfn(virt_to_pfn(balloon)) = out;
	check_eq(set_writable(balloon), 0);
}

CASE(exchange_below_a_limit)
{
	/* Eight single frames for one block of eight below 4 GiB. */
	static char pages[8][PAGE_SIZE] __page_aligned;
	unsigned long in[8], out = virt_to_pfn(pages[0]);
	struct xen_memory_exchange x = {
		.in = {.nr_extents = 8, .domid = DOMID_SELF},
		.out = {.nr_extents = 1,
			.extent_order = 3,
			.domid = DOMID_SELF,
			.mem_flags = XENMEMF_address_bits(32)},
	};
	unsigned int i;

	for (i = 0; i < 8; i++) {
		in[i] = virt_to_mfn(pages[i]);
		check_eq(update_va((unsigned long)pages[i], 0, UVMF_INVLPG), 0);
	}
	set_xen_guest_handle(x.in.extent_start, in);
	set_xen_guest_handle(x.out.extent_start, &out);
	check_eq(memory(XENMEM_exchange, &x), 0);
	check_eq(x.nr_exchanged, 8);
	check_eq(out & 7, 0);
	for (i = 0; i < 8; i++) {
		pfn_to_mfn(virt_to_pfn(pages[i])) = out + i;
		check_eq(machine_to_phys_mapping[out + i], virt_to_pfn(pages[i]));
		check_eq(set_writable(pages[i]), 0);
	}
}

CASE(exchange_impossible)
{
	unsigned long in = virt_to_mfn(balloon), out = virt_to_pfn(balloon);
	struct xen_memory_exchange x = {
		.in = {.nr_extents = 1, .domid = DOMID_SELF},
		.out = {.nr_extents = 1, .domid = DOMID_SELF, .mem_flags = XENMEMF_address_bits(12)},
	};

	set_xen_guest_handle(x.in.extent_start, &in);
	set_xen_guest_handle(x.out.extent_start, &out);
	check_eq(update_va((unsigned long)balloon, 0, UVMF_INVLPG), 0);
	record("result", (uint64_t)memory(XENMEM_exchange, &x));
	check_eq(x.nr_exchanged, 0);
	check_eq(set_writable(balloon), 0);
}

CASE(XENMEM_machphys_mapping)
{
	struct xen_machphys_mapping m = {0};

	check_eq(memory(XENMEM_machphys_mapping, &m), 0);
	check_eq(m.v_start, MACH2PHYS_VIRT_START);
	record("v_end", m.v_end);
	record("max_mfn", m.max_mfn);
}

CASE(XENMEM_machphys_mfn_list)
{
	unsigned long list[4] = {0};
	struct xen_machphys_mfn_list l = {.max_extents = 4};

	set_xen_guest_handle(l.extent_start, list);
	check_eq(memory(XENMEM_machphys_mfn_list, &l), 0);
	check(l.nr_extents >= 1);
	check(list[0] != 0);
}

CASE(XENMEM_memory_map)
{
	static struct {
		uint64_t addr, size;
		uint32_t type;
	} __attribute__((packed)) e820[64];
	struct xen_memory_map m = {.nr_entries = 64};

	set_xen_guest_handle(m.buffer, e820);
	record("result", (uint64_t)memory(XENMEM_memory_map, &m));
}

CASE(XENMEM_machine_memory_map)
{
	static struct {
		uint64_t addr, size;
		uint32_t type;
	} __attribute__((packed)) e820[64];
	struct xen_memory_map m = {.nr_entries = 64};
	unsigned int i;

	set_xen_guest_handle(m.buffer, e820);
	if (!is_dom0()) {
		check_eq(memory(XENMEM_machine_memory_map, &m), -XEN_EPERM);
		return;
	}
	check_eq(memory(XENMEM_machine_memory_map, &m), 0);
	check(m.nr_entries > 2);
	for (i = 0; i + 1 < m.nr_entries; i++)
		check(e820[i].addr + e820[i].size <= e820[i + 1].addr);
	m.nr_entries = 1;
	record("short", (uint64_t)memory(XENMEM_machine_memory_map, &m));
}

CASE(XENMEM_add_to_physmap)
{
	struct xen_add_to_physmap a = {
		.domid = DOMID_SELF, .space = XENMAPSPACE_shared_info, .gpfn = virt_to_pfn(balloon)};

	record("pv", (uint64_t)memory(XENMEM_add_to_physmap, &a));
	a.space = 77;
	record("space", (uint64_t)memory(XENMEM_add_to_physmap, &a));
}

CASE(XENMEM_acquire_resource)
{
	unsigned long frame = 0;
	struct xen_mem_acquire_resource r = {
		.domid = DOMID_SELF, .type = XENMEM_resource_grant_table, .nr_frames = 1};

	record("self", (uint64_t)memory(XENMEM_acquire_resource, &r));
	set_xen_guest_handle(r.frame_list, &frame);
	r.domid = 0x7000;
	record("no_domain", (uint64_t)memory(XENMEM_acquire_resource, &r));
}

CASE(sharing_counts)
{
	check_eq(memory(XENMEM_get_sharing_freed_pages, NULL), 0);
	check_eq(memory(XENMEM_get_sharing_shared_pages, NULL), 0);
}

CASE(unknown)
{
	record("op", (uint64_t)memory(63, NULL));
	record("gap", (uint64_t)memory(8, NULL));
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Grants to ourselves, and memory given back and taken again. */
#include <xen/grant_table.h>
#include <xen/memory.h>

#include "bench.h"

static char table_page[PAGE_SIZE] __page_aligned;
static char granted[16][PAGE_SIZE] __page_aligned;
static char window[16][PAGE_SIZE] __page_aligned;
static struct gnttab_map_grant_ref m[16];
static struct gnttab_unmap_grant_ref u[16];

#define GNT(cmd, arg, n) CALL3(__HYPERVISOR_grant_table_op, cmd, arg, n)

static void map(unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		m[i] = (struct gnttab_map_grant_ref){
			.host_addr = (unsigned long)window[i], .flags = GNTMAP_host_map, .ref = 20 + i};
}

static void unmap(unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		u[i] = (struct gnttab_unmap_grant_ref){.host_addr = (unsigned long)window[i],
						       .handle = m[i].handle};
}

static void maps(const char *map_name, const char *unmap_name, unsigned int n)
{
	map(n);
	MEASURE_N(map_name, 200, map(n), {
		GNT(GNTTABOP_map_grant_ref, m, n);
		samples[i_] = tick() - t_;
		unmap(n);
		GNT(GNTTABOP_unmap_grant_ref, u, n);
		continue;
	});
	MEASURE_N(
		unmap_name, 200,
		{
			map(n);
			GNT(GNTTABOP_map_grant_ref, m, n);
			unmap(n);
		},
		GNT(GNTTABOP_unmap_grant_ref, u, n));
}

static void grants(void)
{
	struct gnttab_setup_table s = {.dom = DOMID_SELF, .nr_frames = 1};
	struct grant_entry_v1 *v1 = (struct grant_entry_v1 *)table_page;
	struct gnttab_copy c = {.len = PAGE_SIZE, .flags = GNTCOPY_source_gref};
	unsigned long frame = 0;
	unsigned int i;

	set_xen_guest_handle(s.frame_list, &frame);
	if (!is_dom0() ||
	    hypercall3(__HYPERVISOR_grant_table_op, GNTTABOP_setup_table, (unsigned long)&s, 1) || s.status) {
		no_row("gnttab_map_1", s.status);
		return;
	}
	update_va((unsigned long)table_page, frame << 12 | PTE_P | PTE_W | PTE_U | PTE_A | PTE_D,
		  UVMF_INVLPG);
	for (i = 0; i < 16; i++) {
		v1[20 + i].domid = 0;
		v1[20 + i].frame = (uint32_t)virt_to_mfn(granted[i]);
		barrier();
		v1[20 + i].flags = GTF_permit_access;
	}
	maps("gnttab_map_1", "gnttab_unmap_1", 1);
	maps("gnttab_map_16", "gnttab_unmap_16", 16);
	for (i = 0; i < 16; i++)
		set_writable(window[i]);
	c.source.u.ref = 20;
	c.source.domid = DOMID_SELF;
	c.dest.u.gmfn = virt_to_mfn(window[0]);
	c.dest.domid = DOMID_SELF;
	MEASURE("gnttab_copy_gref_4096", , GNT(GNTTABOP_copy, &c, 1));
	c.len = 8;
	MEASURE("gnttab_copy_gref_8", , GNT(GNTTABOP_copy, &c, 1));
}

static char balloon[PAGE_SIZE] __page_aligned;
static unsigned long frame_of_balloon;

static void reservations(void)
{
	struct xen_memory_reservation r = {.nr_extents = 1, .domid = DOMID_SELF};

#define MEM(cmd) CALL2(__HYPERVISOR_memory_op, cmd, &r)
	update_va((unsigned long)balloon, 0, UVMF_INVLPG);
	frame_of_balloon = virt_to_mfn(balloon);
	set_xen_guest_handle(r.extent_start, &frame_of_balloon);
	MEASURE_N("decrease_reservation_1", 200, , {
		MEM(XENMEM_decrease_reservation);
		samples[i_] = tick() - t_;
		MEM(XENMEM_increase_reservation);
		continue;
	});
	MEASURE_N("increase_reservation_1", 200, MEM(XENMEM_decrease_reservation),
		  MEM(XENMEM_increase_reservation));
	MEASURE_N(
		"populate_physmap_1", 200,
		{
			MEM(XENMEM_decrease_reservation);
			frame_of_balloon = virt_to_pfn(balloon);
		},
		MEM(XENMEM_populate_physmap));
}

void bench_grants(void)
{
	grants();
	reservations();
}

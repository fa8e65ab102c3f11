/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * docs/abi/grants.md promises: an entry grants one frame to one domain; map, unmap, copy and the
 * table's own operations answer a status for each element of the batch. A domain may grant to
 * itself, which is what these cases do.
 */
#include <xen/grant_table.h>

#include "guest.h"

static struct grant_entry_v1 *v1;
static char table_page[PAGE_SIZE] __page_aligned;
static volatile char granted[PAGE_SIZE] __page_aligned;
static volatile char window[PAGE_SIZE] __page_aligned;

#define REF 20

static long gnttab(unsigned int cmd, void *arg, unsigned int count)
{
	return hypercall3(__HYPERVISOR_grant_table_op, cmd, (unsigned long)arg, count);
}

static bool setup(void)
{
	unsigned long frame = 0;
	struct gnttab_setup_table s = {.dom = DOMID_SELF, .nr_frames = 1};

	if (v1)
		return true;
	if (!is_dom0()) {
		skip("needs its own domain id");
		return false;
	}
	set_xen_guest_handle(s.frame_list, &frame);
	if (gnttab(GNTTABOP_setup_table, &s, 1) || s.status)
		return false;
	if (update_va((unsigned long)table_page, frame << 12 | PTE_P | PTE_W | PTE_A | PTE_D | PTE_U,
		      UVMF_INVLPG))
		return false;
	v1 = (struct grant_entry_v1 *)table_page;
	return true;
}

/* A grantor is named by number: DOMID_SELF is not looked up. */
#define ME 0

static void grant(uint32_t ref, uint16_t flags)
{
	v1[ref].domid = ME;
	v1[ref].frame = (uint32_t)virt_to_mfn((void *)granted);
	barrier();
	v1[ref].flags = flags;
}

static struct gnttab_map_grant_ref map(uint32_t ref, uint32_t flags)
{
	struct gnttab_map_grant_ref m = {
		.host_addr = (unsigned long)window, .flags = flags, .ref = ref, .dom = ME};

	check_eq(gnttab(GNTTABOP_map_grant_ref, &m, 1), 0);
	return m;
}

static int unmap(uint32_t handle)
{
	struct gnttab_unmap_grant_ref u = {.host_addr = (unsigned long)window, .handle = handle};

	check_eq(gnttab(GNTTABOP_unmap_grant_ref, &u, 1), 0);
	set_writable((void *)window);
	return u.status;
}

CASE(GNTTABOP_setup_table)
{
	struct gnttab_setup_table s = {.dom = 0x7000, .nr_frames = 1};

	require(setup());
	check_eq(gnttab(GNTTABOP_setup_table, &s, 1), 0);
	record("no_domain", (uint64_t)s.status);
	s = (struct gnttab_setup_table){.dom = DOMID_SELF, .nr_frames = 100000};
	record("too_many", (uint64_t)gnttab(GNTTABOP_setup_table, &s, 1));
	record("too_many_status", (uint64_t)s.status);
	record("count", (uint64_t)gnttab(GNTTABOP_setup_table, &s, 2));
}

CASE(GNTTABOP_query_size)
{
	struct gnttab_query_size q = {.dom = DOMID_SELF};

	check_eq(gnttab(GNTTABOP_query_size, &q, 1), 0);
	check_eq(q.status, GNTST_okay);
	record("frames", q.nr_frames);
	record("max", q.max_nr_frames);
	q.dom = 0x7000;
	check_eq(gnttab(GNTTABOP_query_size, &q, 1), 0);
	record("no_domain", (uint64_t)q.status);
}

CASE(GNTTABOP_get_version)
{
	struct gnttab_get_version g = {.dom = DOMID_SELF};

	check_eq(gnttab(GNTTABOP_get_version, &g, 1), 0);
	record("version", g.version);
	g.dom = 0x7000;
	record("no_domain", (uint64_t)gnttab(GNTTABOP_get_version, &g, 1));
}

CASE(GNTTABOP_set_version)
{
	struct gnttab_set_version s = {.version = 1};

	check_eq(gnttab(GNTTABOP_set_version, &s, 1), 0);
	check_eq(s.version, 1);
	s.version = 9;
	record("bad", (uint64_t)gnttab(GNTTABOP_set_version, &s, 1));
	record("bad_version", s.version);
}

CASE(GNTTABOP_map_grant_ref)
{
	struct gnttab_map_grant_ref m;

	require(setup());
	granted[0] = 33;
	grant(REF, GTF_permit_access);
	m = map(REF, GNTMAP_host_map);
	check_eq(m.status, GNTST_okay);
	check_eq(m.dev_bus_addr, virt_to_mfn((void *)granted) << 12);
	check_eq(window[0], 33);
	window[1] = 44;
	check_eq(granted[1], 44);
	check_eq(v1[REF].flags, GTF_permit_access | GTF_reading | GTF_writing);
	check_eq(unmap(m.handle), GNTST_okay);
	check_eq(v1[REF].flags, GTF_permit_access);
	v1[REF].flags = 0;
}

CASE(map_readonly)
{
	struct gnttab_map_grant_ref m;

	require(setup());
	grant(REF, GTF_permit_access | GTF_readonly);
	m = map(REF, GNTMAP_host_map);
	record("writable", (uint64_t)m.status);
	m = map(REF, GNTMAP_host_map | GNTMAP_readonly);
	check_eq(m.status, GNTST_okay);
	check_eq(v1[REF].flags, GTF_permit_access | GTF_readonly | GTF_reading);
	check_eq(*pte_of((unsigned long)window, 1) & PTE_W, 0);
	check_eq(unmap(m.handle), GNTST_okay);
	v1[REF].flags = 0;
}

CASE(map_errors)
{
	struct gnttab_map_grant_ref m;

	require(setup());
	record("invalid_entry", (uint64_t)map(REF, GNTMAP_host_map).status);
	record("wild_ref", (uint64_t)map(0xffffffff, GNTMAP_host_map).status);
	grant(REF, GTF_permit_access);
	v1[REF].domid = 77;
	record("not_for_us", (uint64_t)map(REF, GNTMAP_host_map).status);
	v1[REF].domid = ME;
	record("no_flags", (uint64_t)map(REF, 0).status);
	v1[REF].frame = 0x200;
	record("not_our_frame", (uint64_t)map(REF, GNTMAP_host_map).status);
	grant(REF, GTF_permit_access);
	m = (struct gnttab_map_grant_ref){
		.host_addr = 0xffff830000000000UL, .ref = REF, .flags = GNTMAP_host_map, .dom = ME};
	check_eq(gnttab(GNTTABOP_map_grant_ref, &m, 1), 0);
	record("bad_address", (uint64_t)m.status);
	m = (struct gnttab_map_grant_ref){
		.host_addr = (unsigned long)window, .ref = REF, .flags = GNTMAP_host_map, .dom = 0x7000};
	check_eq(gnttab(GNTTABOP_map_grant_ref, &m, 1), 0);
	record("no_domain", (uint64_t)m.status);
	check_eq(v1[REF].flags, GTF_permit_access);
	v1[REF].flags = 0;
	check_eq(gnttab(GNTTABOP_map_grant_ref, NULL, 0), 0);
	record("pointer", (uint64_t)gnttab(GNTTABOP_map_grant_ref, NULL, 1));
}

CASE(map_contains_pte)
{
	struct gnttab_map_grant_ref m = {
		.flags = GNTMAP_host_map | GNTMAP_contains_pte, .ref = REF, .dom = ME};
	struct gnttab_unmap_grant_ref u;

	require(setup());
	granted[7] = 70;
	grant(REF, GTF_permit_access);
	m.host_addr = pte_maddr((unsigned long)window, 1);
	check_eq(gnttab(GNTTABOP_map_grant_ref, &m, 1), 0);
	check_eq(m.status, GNTST_okay);
	mmuext_one(MMUEXT_INVLPG_LOCAL, (unsigned long)window);
	check_eq(window[7], 70);
	u = (struct gnttab_unmap_grant_ref){.host_addr = m.host_addr, .handle = m.handle};
	check_eq(gnttab(GNTTABOP_unmap_grant_ref, &u, 1), 0);
	check_eq(u.status, GNTST_okay);
	check_eq(*pte_of((unsigned long)window, 1) & PTE_P, 0);
	set_writable((void *)window);
	v1[REF].flags = 0;
}

CASE(mapped_twice)
{
	struct gnttab_map_grant_ref a, b;
	struct gnttab_unmap_grant_ref u;
	static volatile char second[PAGE_SIZE] __page_aligned;

	require(setup());
	grant(REF, GTF_permit_access);
	a = map(REF, GNTMAP_host_map);
	b = (struct gnttab_map_grant_ref){.host_addr = (unsigned long)second,
					  .ref = REF,
					  .flags = GNTMAP_host_map | GNTMAP_readonly,
					  .dom = ME};
	check_eq(gnttab(GNTTABOP_map_grant_ref, &b, 1), 0);
	check_eq(b.status, 0);
	check(a.handle != b.handle);
	check_eq(unmap(a.handle), 0);
	/* One reader left. */
	check_eq(v1[REF].flags, GTF_permit_access | GTF_reading);
	u = (struct gnttab_unmap_grant_ref){.host_addr = (unsigned long)second, .handle = b.handle};
	check_eq(gnttab(GNTTABOP_unmap_grant_ref, &u, 1), 0);
	check_eq(u.status, 0);
	check_eq(v1[REF].flags, GTF_permit_access);
	set_writable((void *)second);
	v1[REF].flags = 0;
}

CASE(GNTTABOP_unmap_grant_ref)
{
	struct gnttab_map_grant_ref m;
	struct gnttab_unmap_grant_ref u;

	require(setup());
	record("no_handle", (uint64_t)unmap(999));
	grant(REF, GTF_permit_access);
	m = map(REF, GNTMAP_host_map);
	u = (struct gnttab_unmap_grant_ref){.host_addr = (unsigned long)table_page, .handle = m.handle};
	check_eq(gnttab(GNTTABOP_unmap_grant_ref, &u, 1), 0);
	record("other_address", (uint64_t)u.status);
	check_eq(unmap(m.handle), 0);
	record("again", (uint64_t)unmap(m.handle));
	v1[REF].flags = 0;
	check_eq(gnttab(GNTTABOP_unmap_grant_ref, NULL, 0), 0);
}

CASE(mapped_frame_is_guarded)
{
	/* While it is mapped through a grant the granted frame cannot become a page table. */
	struct gnttab_map_grant_ref m;

	require(setup());
	memset((void *)granted, 0, PAGE_SIZE);
	grant(REF, GTF_permit_access);
	m = map(REF, GNTMAP_host_map);
	check_eq(set_readonly((void *)granted), 0);
	record("pin", (uint64_t)mmuext_one(MMUEXT_PIN_L1_TABLE, virt_to_mfn((void *)granted)));
	check_eq(unmap(m.handle), 0);
	check_eq(mmuext_one(MMUEXT_PIN_L1_TABLE, virt_to_mfn((void *)granted)), 0);
	/* And a page table cannot be granted for writing. */
	record("map_table", (uint64_t)map(REF, GNTMAP_host_map).status);
	check_eq(mmuext_one(MMUEXT_UNPIN_TABLE, virt_to_mfn((void *)granted)), 0);
	check_eq(set_writable((void *)granted), 0);
	v1[REF].flags = 0;
}

static int16_t copy(uint32_t ref, uint16_t from, uint16_t to, uint16_t len)
{
	struct gnttab_copy c = {.len = len, .flags = GNTCOPY_source_gref};

	c.source.u.ref = ref;
	c.source.domid = DOMID_SELF;
	c.source.offset = from;
	c.dest.u.gmfn = virt_to_mfn((void *)window);
	c.dest.domid = DOMID_SELF;
	c.dest.offset = to;
	check_eq(gnttab(GNTTABOP_copy, &c, 1), 0);
	return c.status;
}

CASE(GNTTABOP_copy)
{
	unsigned int i;

	require(setup());
	for (i = 0; i < PAGE_SIZE; i++)
		granted[i] = (char)(i * 7);
	grant(REF, GTF_permit_access | GTF_readonly);
	check_eq(copy(REF, 0, 0, PAGE_SIZE), GNTST_okay);
	check_eq(memcmp((void *)granted, (void *)window, PAGE_SIZE), 0);
	check_eq(copy(REF, 100, 200, 50), GNTST_okay);
	check_eq(memcmp((char *)granted + 100, (char *)window + 200, 50), 0);
	check_eq(window[250], (char)(250 * 7));
	check_eq(copy(REF, 1, 2, 0), GNTST_okay);
	record("over_source", (uint64_t)copy(REF, 4000, 0, 200));
	record("over_dest", (uint64_t)copy(REF, 0, 4000, 200));
	record("no_ref", (uint64_t)copy(REF + 1, 0, 0, 8));
	check_eq(v1[REF].flags, GTF_permit_access | GTF_readonly);
	v1[REF].flags = 0;
}

CASE(copy_to_grant)
{
	struct gnttab_copy c = {.len = 16, .flags = GNTCOPY_dest_gref};

	require(setup());
	window[0] = 'x';
	grant(REF, GTF_permit_access);
	c.source.u.gmfn = virt_to_mfn((void *)window);
	c.source.domid = DOMID_SELF;
	c.dest.u.ref = REF;
	c.dest.domid = DOMID_SELF;
	check_eq(gnttab(GNTTABOP_copy, &c, 1), 0);
	check_eq(c.status, GNTST_okay);
	check_eq(granted[0], 'x');
	v1[REF].flags |= GTF_readonly;
	check_eq(gnttab(GNTTABOP_copy, &c, 1), 0);
	record("readonly", (uint64_t)c.status);
	v1[REF].flags = 0;
}

CASE(batch_with_an_error)
{
	/* Every element has its own status; the call itself succeeds. */
	struct gnttab_map_grant_ref m[2];

	require(setup());
	grant(REF, GTF_permit_access);
	m[0] = (struct gnttab_map_grant_ref){
		.host_addr = (unsigned long)window, .ref = REF + 1, .flags = GNTMAP_host_map, .dom = ME};
	m[1] = m[0];
	m[1].ref = REF;
	check_eq(gnttab(GNTTABOP_map_grant_ref, m, 2), 0);
	check(m[0].status < 0);
	check_eq(m[1].status, 0);
	check_eq(unmap(m[1].handle), 0);
	v1[REF].flags = 0;
}

CASE(GNTTABOP_unmap_and_replace)
{
	struct gnttab_map_grant_ref m;
	struct gnttab_unmap_and_replace r;
	static volatile char spare[PAGE_SIZE] __page_aligned;

	require(setup());
	spare[0] = 66;
	grant(REF, GTF_permit_access);
	m = map(REF, GNTMAP_host_map);
	r = (struct gnttab_unmap_and_replace){
		.host_addr = (unsigned long)window, .new_addr = (unsigned long)spare, .handle = m.handle};
	check_eq(gnttab(GNTTABOP_unmap_and_replace, &r, 1), 0);
	check_eq(r.status, 0);
	mmuext_one(MMUEXT_TLB_FLUSH_LOCAL, 0);
	/* The other mapping moved here. */
	check_eq(window[0], 66);
	check_eq(*pte_of((unsigned long)spare, 1) & PTE_P, 0);
	set_writable((void *)window);
	set_writable((void *)spare);
	v1[REF].flags = 0;
}

CASE(GNTTABOP_swap_grant_ref)
{
	struct gnttab_swap_grant_ref s = {.ref_a = REF, .ref_b = REF + 1};

	require(setup());
	grant(REF, GTF_permit_access);
	check_eq(gnttab(GNTTABOP_swap_grant_ref, &s, 1), 0);
	check_eq(s.status, 0);
	check_eq(v1[REF].flags, 0);
	check_eq(v1[REF + 1].flags, GTF_permit_access);
	v1[REF + 1].flags = 0;
	s.ref_b = 0x7fffffff;
	check_eq(gnttab(GNTTABOP_swap_grant_ref, &s, 1), 0);
	record("wild", (uint64_t)s.status);
}

CASE(GNTTABOP_get_status_frames)
{
	struct gnttab_get_status_frames g = {.dom = DOMID_SELF, .nr_frames = 0};

	record("v1", (uint64_t)gnttab(GNTTABOP_get_status_frames, &g, 1));
	record("status", (uint64_t)g.status);
}

CASE(unknown)
{
	record("op", (uint64_t)gnttab(77, NULL, 1));
	record("flush", (uint64_t)gnttab(GNTTABOP_cache_flush, NULL, 0));
}

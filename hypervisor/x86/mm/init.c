/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frame table and machine-to-physical table.
 *
 * Both are arrays by machine frame number with holes where the machine has no RAM. A stretch of the frame table
 * (one page, 128 frames) without RAM is one read-only page of HOLE entries, used over and over; a stretch of the
 * M2P (2 MiB, one GiB of memory) without RAM is one page of invalid entries.
 */
#include <console.h>
#include <core/mm/frame.h>
#include <lib.h>
#include <x86/mm/cr.h>
#include <x86/mm/hvmap.h>

#define M2P_RW_VIRT 0xffff810000000000UL /* our writable view of the M2P */
#define LOW_MEMORY_FRAMES 256            /* the first MiB is the firmware's and the devices' */
#define FT_PER_PAGE (PAGE_SIZE / sizeof(struct frame))
#define M2P_PER_CHUNK (512 * (PAGE_SIZE / sizeof(u64)))

u64 *m2p_table = (u64 *)M2P_RW_VIRT;
struct frame *frame_table = (struct frame *)FRAME_TABLE_VIRT;
u64 max_mfn;
mfn_t m2p_chunks[1024]; /* first frame of each 2 MiB of M2P, INVALID_MFN for a hole */
unsigned int m2p_nr_chunks;

/* RAM that gets frames, clipped to whole frames. */
static bool ram_range(const struct mem_region *r, u64 *first, u64 *last)
{
	*first = max((u64)DIV_ROUND_UP(r->start, PAGE_SIZE), (u64)LOW_MEMORY_FRAMES);
	*last = r->end >> PAGE_SHIFT;
	return r->type == E820_RAM && *first < *last;
}

static bool has_ram(u64 from, u64 to)
{
	u64 first, last;

	for (unsigned int i = 0; i < host_e820_nr; i++)
		if (ram_range(&host_e820[i], &first, &last) && first < to && last > from)
			return true;
	return false;
}

static void find_limits(void)
{
	u32 a, b, c, d;
	u64 first, last;
	unsigned int bits = 36;

	cpuid_raw(0x80000000, &a, &b, &c, &d);
	if (a >= 0x80000008) {
		cpuid_raw(0x80000008, &a, &b, &c, &d);
		bits = a & 0xff;
	}
	pte_reserved = PTE_ADDR_MASK & ~(BIT(bits) - 1);
	/* The top 12 GiB of the 1 TiB of HyperTransport machines are no memory (AMD64 vol. 2, I/O space). */
	cpuid_raw(0, &a, &b, &c, &d);
	if (b == 0x68747541 || b == 0x6f677948)
		mm_io_reserve(MFN(0xfd00000), MFN(0xfffffff));
	/* Local APICs, message interrupts. */
	mm_io_reserve(MFN(0xfee00), MFN(0xfeeff));
	cpuid_raw(0x80000001, &a, &b, &c, &d);
	if (!(d & BIT(20)))
		pte_reserved |= PTE_NX;
	for (unsigned int i = 0; i < host_e820_nr; i++)
		if (ram_range(&host_e820[i], &first, &last))
			max_mfn = max(max_mfn, last);
	max_mfn = min(max_mfn, (u64)ARRAY_SIZE(m2p_chunks) * M2P_PER_CHUNK);
	if (!max_mfn)
		panic("The memory map names no usable RAM above 1 MiB");
}

static void build_frame_table(void)
{
	const u64 rw = PTE_P | PTE_RW | PTE_A | PTE_D | hv_nx();
	struct frame *hole = boot_alloc_pages(1);

	for (unsigned int i = 0; i < FT_PER_PAGE; i++) {
		hole[i].refs = FREF_HOLE;
		hole[i].owner = FRAME_NO_OWNER;
	}
	for (u64 n = 0; n < max_mfn; n += FT_PER_PAGE) {
		u64 va = (u64)&frame_table[n];
		struct frame *f;

		if (!has_ram(n, n + FT_PER_PAGE)) {
			BUG_ON(map_pages_hv(va, virt_to_mfn(hole), 1, rw & ~PTE_RW));
			continue;
		}
		f = boot_alloc_pages(1);
		memcpy(f, hole, PAGE_SIZE);
		BUG_ON(map_pages_hv(va, virt_to_mfn(f), 1, rw));
	}
}

static void build_m2p(void)
{
	const u64 ro = PTE_P | PTE_A | PTE_D | hv_nx();
	u64 *invalid = boot_alloc_pages(1);

	memset(invalid, 0xff, PAGE_SIZE);
	m2p_nr_chunks = (unsigned int)DIV_ROUND_UP(max_mfn, M2P_PER_CHUNK);
	for (unsigned int i = 0; i < m2p_nr_chunks; i++) {
		u64 off = (u64)i << 21;
		u64 *chunk;

		m2p_chunks[i] = INVALID_MFN;
		if (!has_ram(i * M2P_PER_CHUNK, (i + 1) * M2P_PER_CHUNK)) {
			for (u64 p = 0; p < 512; p++)
				BUG_ON(map_pages_hv(M2P_VIRT_START + off + (p << PAGE_SHIFT),
						    virt_to_mfn(invalid), 1, ro | PTE_US));
			continue;
		}
		chunk = boot_alloc_pages(512);
		memset(chunk, 0xff, 512 * PAGE_SIZE);
		m2p_chunks[i] = virt_to_mfn(chunk);
		BUG_ON(map_pages_hv(M2P_VIRT_START + off, m2p_chunks[i], 512, ro | PTE_US));
		BUG_ON(map_pages_hv(M2P_RW_VIRT + off, m2p_chunks[i], 512, ro | PTE_RW));
	}
}

/* Hands the RAM nobody uses to the allocator; the rest belongs to the hypervisor. */
static void fill_heap(void)
{
	u64 first, last;

	for (unsigned int i = 0; i < host_e820_nr; i++) {
		if (!ram_range(&host_e820[i], &first, &last))
			continue;
		last = min(last, max_mfn);
		while (first < last) {
			u64 n = first;

			while (n < last && !boot_frame_used(MFN(n)))
				n++;
			buddy_add_range(first, n);
			for (; n < last && boot_frame_used(MFN(n)); n++) {
				frame_table[n].refs = FREF_HV | 1;
				frame_table[n].type_word = 0;
			}
			first = n;
		}
	}
}

static void check_key(void)
{
	mm_check_all();
}

void mm_init(void)
{
	find_limits();
	l1tf_init();
	hvmap_prepare_slots();
	build_frame_table();
	build_m2p();
	desc_init();
	xpti_init();
	fill_heap();
	hvmap_heap_ready();
	gone_init();
	debug_key_register('M', "check every frame's counts, type and owner", check_key);
	printk(XLOG_INFO "mm: %llu MiB RAM up to frame %#llx, %llu MiB free\n",
	       (unsigned long long)(mm_total_frames() >> 8), (unsigned long long)max_mfn,
	       (unsigned long long)(mm_free_frames() >> 8));
}

/* The M2P can be mapped read-only by the control domain, as memory of DOMID_XEN. */
void mm_share_m2p(void)
{
	for (unsigned int i = 0; i < m2p_nr_chunks; i++) {
		if (m2p_chunks[i].n == INVALID_MFN.n)
			continue;
		for (u64 p = 0; p < 512; p++)
			frame_share_with_guest(map_frame(mfn_add(m2p_chunks[i], p)), dom_xen, false);
	}
}

u64 mm_ram_frames(void)
{
	u64 n = 0;

	for (unsigned int i = 0; i < host_e820_nr; i++)
		if (host_e820[i].type == E820_RAM)
			n += (host_e820[i].end - host_e820[i].start) >> PAGE_SHIFT;
	return n;
}

void mm_release_boot_frames(mfn_t first, u64 nr)
{
	buddy_add_range(first.n, first.n + nr);
}

void pv_init_guest_l4_slots(u64 *l4)
{
	for (unsigned int i = HV_L4_FIRST; i <= HV_L4_LAST; i++)
		l4[i] = idle_l4[i];
}

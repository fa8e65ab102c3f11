/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Machine memory: frames, their owners, reference and type counts; allocation; guest page tables.
 *
 * Hypervisor address space (L4 slots 256..271 are ours by the PV ABI):
 *
 *   0xffff800000000000  slot 256   machine-to-physical table, read-only to guests
 *   0xffff820000000000  slot 260   frame table
 *   0xffff824000000000  slot 260.5 vmap: device registers, ACPI tables (x86/mm/vmap)
 *   0xffff828000000000  slot 261   image (0xffff82d040000000) and per-CPU GDT/LDT windows
 *   0xffff830000000000  slot 262.. direct map of all RAM (map_frame() only), up to slot 271
 */
#ifndef SERAI_MM_H
#define SERAI_MM_H

#include <domain.h>
#include <list.h>
#include <spinlock.h>
#include <types.h>

#define HV_VIRT_START 0xffff800000000000UL
#define HV_VIRT_END 0xffff880000000000UL
#define HV_L4_FIRST 256U
#define HV_L4_LAST 271U
#define M2P_VIRT_START 0xffff800000000000UL
#define M2P_VIRT_END 0xffff804000000000UL
#define FRAME_TABLE_VIRT 0xffff820000000000UL
#define VMAP_VIRT 0xffff824000000000UL
#define VMAP_VIRT_END 0xffff828000000000UL
#define DESC_WINDOW_VIRT 0xffff828000000000UL /* per-CPU GDT and LDT windows */
#define IMAGE_VIRT 0xffff82d040000000UL
#define DESC_WINDOW_PAGES 32
#define DESC_WINDOW(cpu) (DESC_WINDOW_VIRT + (u64)(cpu)*DESC_WINDOW_PAGES * PAGE_SIZE)

/*
 * What a CPU needs to come in from a guest and go back, within reach of the image's code: 64 KiB each.
 *
 *   page 0          1                        2                  8..15
 *   | syscall stub | TSS, words of the stub | running vCPU's * |  ... | the CPU's stack (percpu.h) |
 *
 *   * first page of its struct vcpu, with Meltdown isolation
 */
#define ENTRY_AREA_VIRT (IMAGE_VIRT + 0x20000000UL)
#define ENTRY_AREA(cpu) (ENTRY_AREA_VIRT + (u64)(cpu)*0x10000UL)
#define ENTRY_CODE(cpu) ENTRY_AREA(cpu)
#define ENTRY_DATA(cpu) (ENTRY_AREA(cpu) + PAGE_SIZE)
#define ENTRY_VCPU(cpu) (ENTRY_AREA(cpu) + 2 * PAGE_SIZE)
#define ENTRY_STACK(cpu) (ENTRY_AREA(cpu) + 8 * PAGE_SIZE)
#define DIRECTMAP_VIRT 0xffff830000000000UL

/* Bits of a page-table entry (SDM vol. 3, 4.5) */
#define PTE_P 0x001UL
#define PTE_RW 0x002UL
#define PTE_US 0x004UL
#define PTE_PWT 0x008UL
#define PTE_PCD 0x010UL
#define PTE_A 0x020UL
#define PTE_D 0x040UL
#define PTE_PS 0x080UL  /* L2, L3 */
#define PTE_PAT 0x080UL /* L1 */
#define PTE_G 0x100UL
#define PTE_AVAIL 0xe00UL
#define PTE_NX (1UL << 63)
#define PTE_ADDR_MASK 0x000ffffffffff000UL

static inline mfn_t pte_mfn(u64 e)
{
	return MFN((e & PTE_ADDR_MASK) >> PAGE_SHIFT);
}
static inline u64 pte_make(mfn_t m, u64 flags)
{
	return (m.n << PAGE_SHIFT) | flags;
}

/* machine.h-level facts; hosted tests point them at an arena */
extern u8 *direct_map;
extern u64 *m2p_table; /* writable view of the machine-to-physical table */
extern struct frame *frame_table;
extern u64 pte_reserved; /* address bits this machine does not have (and NX where it has none) */
extern u64 max_mfn;      /* one more than the highest frame of RAM */

#define INVALID_M2P_ENTRY (~0ULL)

static inline void *map_frame(mfn_t m)
{
	return direct_map + (m.n << PAGE_SHIFT);
}
static inline void unmap_frame(const void *p)
{
	(void)p;
}
/* For pages the hypervisor allocated itself. */
static inline mfn_t virt_to_mfn(const void *p)
{
	return MFN((u64)((const u8 *)p - direct_map) >> PAGE_SHIFT);
}
static inline paddr_t virt_to_paddr(const void *p)
{
	return (paddr_t)((const u8 *)p - direct_map);
}
static inline void *paddr_to_virt(paddr_t p)
{
	return direct_map + p;
}

/* ---- frames (core/mm/pgt.c holds the rules; x86/mm the cmpxchg loops) ---- */

enum frame_type {
	FT_NONE,
	FT_WRITABLE,
	FT_L1,
	FT_L2,
	FT_L3,
	FT_L4,
	FT_SEGDESC,
	FT_SHARED, /* read-only to its domain, written by the hypervisor: shared_info, grant frames... */
};

/* 32 bytes; frame_table[mfn]. The mm room defines the meaning of type_word. */
struct frame {
	u64 type_word;  /* type, pinned, validated, partial, count */
	u64 refs;       /* general references, FREF_* in the top bits */
	u32 next, prev; /* owner's frame list or allocator free list, by frame number; 0 = end */
	u16 owner;      /* domid, or FRAME_NO_OWNER */
	u16 nr_valid;   /* entries validated when partial */
	u32 tlb_stamp;  /* flush clock when the last type count went away */
};
#define FRAME_NO_OWNER 0xffff

static inline struct frame *mfn_to_frame(mfn_t m)
{
	return &frame_table[m.n];
}
static inline mfn_t frame_to_mfn(const struct frame *f)
{
	return MFN((u64)(f - frame_table));
}
/* RAM with a struct frame. Holes below max_mfn have one too, shared, read-only and marked. */
static inline bool mfn_valid(mfn_t m)
{
	return m.n < max_mfn && !(frame_table[m.n].refs & (1UL << 58));
}

/* A memory map the boot code hands over, ascending, page aligned inwards. */
struct mem_region {
	paddr_t start, end;
	u32 type; /* E820_* */
};
#define E820_RAM 1U
#define E820_RESERVED 2U
#define E820_ACPI 3U
#define E820_NVS 4U
#define E820_UNUSABLE 5U
extern struct mem_region host_e820[128]; /* as the firmware gave it, merged and sorted */
extern unsigned int host_e820_nr;

/* Early page allocation before the allocator stands (x86/boot). Zeroed; panics when out. */
void *boot_alloc_pages(unsigned int nr);
/* Builds the frame table and M2P and gives all free RAM to the allocator. boot_used() says which frames
 * the boot code keeps (image, modules, early pages). */
void mm_init(void);
bool boot_frame_used(mfn_t m);
/* Boot frames no longer needed (modules) go to the allocator. */
void mm_release_boot_frames(mfn_t first, u64 nr);
/* A boot frame becomes memory of d (the initrd, in place). 0 or -ENOMEM. */
int mm_assign_boot_frame(struct domain *d, mfn_t m);
/* When dom_xen exists: it owns the machine-to-physical table. */
void mm_share_m2p(void);
/* Device memory no guest may map (local and I/O APICs, HPET, IOMMU). */
void mm_io_reserve(mfn_t first, mfn_t last);
bool mm_io_permitted(const struct domain *d, mfn_t m);

/* Buddy allocator. Frames come scrubbed (zeroed). With a domain: assigned to it (owner, list, tot_pages,
 * one general reference, -ENOMEM beyond max_pages => NULL). addr_bits 0 = anywhere. */
struct frame *alloc_frames(struct domain *d, unsigned int order, unsigned int addr_bits);
void free_frames(struct frame *f, unsigned int order); /* frames without owner and references */
u64 mm_free_frames(void);                              /* free, in frames */
u64 mm_total_frames(void);                             /* given to the allocator */
u64 mm_ram_frames(void); /* RAM of the machine, the hypervisor's own part included */

/* Hypervisor memory: whole pages and small objects, zeroed; NULL when out of memory. */
void *hv_alloc_pages(unsigned int order);
void hv_free_pages(void *p, unsigned int order);
void *hv_zalloc(size_t size); /* any size; over a page it is whole pages; 16-byte (64 for >=64) aligned */
void hv_free(void *p);
#define hv_new(type) ((type *)hv_zalloc(sizeof(type)))
#define hv_new_array(type, n) ((type *)hv_zalloc(sizeof(type) * (n)))

/* References. A general reference keeps a frame with its owner; a type reference keeps its type too. */
bool frame_get(struct frame *f, const struct domain *owner); /* false: not owner's, or dying */
void frame_put(struct frame *f);                             /* the last one frees the frame */
int frame_get_type(struct frame *f, enum frame_type t);      /* 0, -EINVAL (wrong type), -ERESTART, -EINTR */
void frame_put_type(struct frame *f);
/* Both at once, as uses of a guest frame for writing want. */
bool frame_get_and_type(struct frame *f, const struct domain *owner, enum frame_type t);
void frame_put_and_type(struct frame *f);
struct domain *frame_owner(const struct frame *f); /* no reference taken; NULL if none */
/* Frame of d at machine (PV) frame number m with a reference, or NULL. */
struct frame *frame_get_from_mfn(mfn_t m, const struct domain *d);
/* A page the hypervisor made (from hv_alloc_pages) becomes visible to d as FT_SHARED (ro) or writable.
 * After frame_unshare() no new mapping can be made; hv_free_pages() (which unshares too) returns the page
 * when the last mapping goes. */
void frame_share_with_guest(void *page, struct domain *d, bool writable);
void frame_unshare(void *page);

/* Moves ownership: takes f, referenced only by its owner's own allocation, away from d (transfer,
 * exchange) or gives it to d. In between it has no references, and nobody can take one. Errors: -EINVAL in use;
 * -ENOMEM over max_pages. */
int frame_steal(struct domain *d, struct frame *f);
int frame_assign(struct domain *d, struct frame *f);

/* ---- a domain's memory ---- */
#define FAULT_LOG_DIRTY 1U
#define FAULT_ISOLATED 2U
struct domain_mm {
	spinlock_t lock;        /* RANK_MM: page-table updates */
	spinlock_t frames_lock; /* RANK_FRAMES: list and totals */
	u32 frame_list;         /* head, by frame number */
	u32 tot_pages, max_pages, outstanding_pages /* claimed */, shr_pages;
	u32 relinquish_step;
	u32 zombie_list; /* while dying: frames somebody else still holds */
	int budget;      /* tables that may be worked on before the lock is given up */
	u32 pending[8];  /* tables that hold themselves and wait to be dropped, under lock */
	u32 nr_pending;
	struct mem_region *memory_map; /* XENMEM_set_memory_map */
	u32 memory_map_nr;
	u32 puts_owed; /* see x86/mm/gone.c */
	struct domain *gone_next;
	bool log_dirty;
	u8 fault_work; /* not 0: page faults may be ours (FAULT_*) */
	void *log_dirty_state;
};
/* Written through a mapping the log-dirty shadow does not see (grants, hypervisor copies): note it. */
/* XEN_DOMCTL_shadow_op: log-dirty mode on and off, bitmaps. -ERESTART possible. */
struct xen_domctl_shadow_op;
long mm_shadow_op(struct domain *d, struct xen_domctl_shadow_op *op);
void mm_mark_dirty_slow(struct domain *d, mfn_t mfn);
static inline void mm_mark_dirty(struct domain *d, mfn_t mfn)
{
	if (unlikely(d->mm->log_dirty))
		mm_mark_dirty_slow(d, mfn);
}
int mm_domain_init(struct domain *d);
/* Gives back everything a dying domain holds; -ERESTART to be called again. */
int mm_domain_relinquish(struct domain *d);
void mm_domain_destroy(struct domain *d);

/* XEN_DOMCTL_getpageframeinfo3: XEN_DOMCTL_PFINFO_* of one frame of d. */
u32 mm_page_frame_info(const struct domain *d, mfn_t mfn);
/* Debug: recomputes counts and types of every frame; the number of contradictions, each printed. */
unsigned int mm_check_all(void);

/* ---- x86/mm: page tables of the running system ---- */
extern u64 *idle_l4; /* the hypervisor's own root */
extern paddr_t idle_cr3;
/* Frame behind any hypervisor address, image or direct map. */
mfn_t hv_addr_to_mfn(u64 va);
int map_pages_hv(u64 va, mfn_t mfn, unsigned long nr, u64 flags); /* into the hypervisor's tables */
void unmap_pages_hv(u64 va, unsigned long nr);
void *vmap_io(paddr_t pa, size_t size);  /* uncached device registers */
void *vmap_ram(paddr_t pa, size_t size); /* firmware tables */
void vunmap(const void *p, size_t size);

/* TLB. The IPI form waits for all; cpus not running the address space are skipped by the caller. */
void flush_tlb_local(void); /* everything, global included when guests use global entries */
void flush_tlb_one_local(u64 va);
void flush_tlb_mask(const cpumask_t *mask);
void flush_tlb_one_mask(const cpumask_t *mask, u64 va);
void flush_requests_poll(void); /* serve cpu_info.flush_request; from IPI and wait loops */

/* Loads a vCPU's root table (kernel or user); v->cr3_kernel/user. */
void write_cr3(u64 cr3);
/* Fills cr3_* from guest_table*, after NEW_BASEPTR, NEW_USER_BASEPTR or context load. */
void pv_update_cr3(struct vcpu *v);
/* Copies the hypervisor's slots into a guest L4 that is being validated. */
void pv_init_guest_l4_slots(u64 *l4);

/* Takes references to the tables a new vCPU context names (domctl setvcpucontext, VCPUOP_initialise,
 * dom0 builder). cr3 values are the ABI's: frame << 12. 0, -EINVAL, -ERESTART. */
int pv_set_guest_tables(struct vcpu *v, mfn_t kernel, mfn_t user);
void pv_drop_guest_tables(struct vcpu *v);
/* Validates a page table of d and keeps it so (MMUEXT_PIN_*). 0, -EINVAL, -ERESTART. */
int mm_pin_table(struct domain *pg, u64 mfn, enum frame_type t);

/* set_gdt and friends. frames: MFNs; entries <= 14 * 512. */
int pv_set_gdt(struct vcpu *v, const u64 *frames, unsigned int entries);
void pv_destroy_gdt(struct vcpu *v);
int pv_set_ldt(struct vcpu *v, u64 base, unsigned int ents);
/* Context switch: makes this CPU's GDT (LDT) window show v's frames. */
void pv_load_descriptors(struct vcpu *v);
/* Is this 8-byte descriptor one a PV guest may have? Adjusts DPL as the ABI says. */
bool pv_fix_descriptor(u64 *desc);

/* A #PF from or on behalf of the guest: true when the hypervisor resolved it (LDT window, write to a page
 * table with the writable-page-table assist, spurious), false: bounce to the guest. */
bool pv_handle_page_fault(struct regs *regs, u64 addr, u32 error_code);

/* Grant mapping into PV page tables; called with the grant room's locks held where its file says.
 * flags are GNTMAP_*; host_addr a virtual address, or with GNTMAP_contains_pte the machine address of a PTE.
 * The caller already holds the reference(s) the mapping needs. Errors are GNTST_*. */
int pv_grant_map(struct vcpu *v, u64 host_addr, mfn_t mfn, unsigned int flags, unsigned int cache_flags);
int pv_grant_unmap(struct vcpu *v, u64 host_addr, u64 new_addr, mfn_t mfn, unsigned int flags);

#endif

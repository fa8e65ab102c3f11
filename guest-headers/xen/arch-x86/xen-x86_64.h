/* SPDX-License-Identifier: MIT */
/*
 * What is particular to 64-bit PV guests: flat selectors, the hypervisor's part of the
 * address space, segment bases, the iret frame and the register file.
 *
 * Hypercalls: number in %rax, arguments in %rdi, %rsi, %rdx, %r10, %r8, result in %rax.
 * Pages: docs/abi/hypercalls.md, docs/abi/iret.md, docs/abi/segments.md.
 */

#include "../xen.h"

#ifndef __XEN_PUBLIC_ARCH_X86_XEN_X86_64_H__
#define __XEN_PUBLIC_ARCH_X86_XEN_X86_64_H__

/* Flat segments in the hypervisor's part of every GDT, entries 260 (32-bit code), 261, 262. */
#define FLAT_RING3_CS32 0xe023
#define FLAT_RING3_CS64 0xe033
#define FLAT_RING3_DS32 0xe02b
#define FLAT_RING3_DS64 0x0000
#define FLAT_RING3_SS32 0xe02b
#define FLAT_RING3_SS64 0xe02b

#define FLAT_KERNEL_DS64 FLAT_RING3_DS64
#define FLAT_KERNEL_DS32 FLAT_RING3_DS32
#define FLAT_KERNEL_DS FLAT_KERNEL_DS64
#define FLAT_KERNEL_CS64 FLAT_RING3_CS64
#define FLAT_KERNEL_CS32 FLAT_RING3_CS32
#define FLAT_KERNEL_CS FLAT_KERNEL_CS64
#define FLAT_KERNEL_SS64 FLAT_RING3_SS64
#define FLAT_KERNEL_SS32 FLAT_RING3_SS32
#define FLAT_KERNEL_SS FLAT_KERNEL_SS64

#define FLAT_USER_DS64 FLAT_RING3_DS64
#define FLAT_USER_DS32 FLAT_RING3_DS32
#define FLAT_USER_DS FLAT_USER_DS64
#define FLAT_USER_CS64 FLAT_RING3_CS64
#define FLAT_USER_CS32 FLAT_RING3_CS32
#define FLAT_USER_CS FLAT_USER_CS64
#define FLAT_USER_SS64 FLAT_RING3_SS64
#define FLAT_USER_SS32 FLAT_RING3_SS32
#define FLAT_USER_SS FLAT_USER_SS64

/*
 * L4 slots 256 to 271 belong to the hypervisor. The machine-to-physical table starts
 * them and is readable by every PV guest.
 */
#define __HYPERVISOR_VIRT_START 0xFFFF800000000000
#define __HYPERVISOR_VIRT_END 0xFFFF880000000000
#define __MACH2PHYS_VIRT_START 0xFFFF800000000000
#define __MACH2PHYS_VIRT_END 0xFFFF804000000000

#ifndef HYPERVISOR_VIRT_START
#define HYPERVISOR_VIRT_START xen_mk_ulong(__HYPERVISOR_VIRT_START)
#define HYPERVISOR_VIRT_END xen_mk_ulong(__HYPERVISOR_VIRT_END)
#endif

#define MACH2PHYS_VIRT_START xen_mk_ulong(__MACH2PHYS_VIRT_START)
#define MACH2PHYS_VIRT_END xen_mk_ulong(__MACH2PHYS_VIRT_END)
#define MACH2PHYS_NR_ENTRIES ((MACH2PHYS_VIRT_END - MACH2PHYS_VIRT_START) >> 3)
#ifndef machine_to_phys_mapping
#define machine_to_phys_mapping ((unsigned long *)HYPERVISOR_VIRT_START)
#endif

/* set_segment_base: which base; GS_USER_SEL takes a selector for user %gs instead of a base. */
#define SEGBASE_FS 0
#define SEGBASE_GS_USER 1
#define SEGBASE_GS_KERNEL 2
#define SEGBASE_GS_USER_SEL 3

/* iret_context.flags: come back by SYSRET, so %rcx and %r11 carry RIP and RFLAGS. */
#define _VGCF_in_syscall 8
#define VGCF_in_syscall (1 << _VGCF_in_syscall)
#define VGCF_IN_SYSCALL VGCF_in_syscall

#ifndef __ASSEMBLY__

/* The guest kernel's stack at the iret hypercall, lowest address first. */
struct iret_context {
	uint64_t rax, r11, rcx, flags, rip, cs, rflags, rsp, ss;
};

/*
 * One 64-bit register under all its names. Tools and hypervisors see the
 * architectural sizes; a guest kernel's eXX is, by old habit, all 64 bits.
 */
#if defined(__XEN__) || defined(__XEN_TOOLS__)
#define __XEN_REG_E(name) uint32_t e##name
#else
#define __XEN_REG_E(name) \
	uint64_t e##name; \
	uint32_t _e##name
#endif
#define __XEN_REG_ABCD(letter)             \
	union {                            \
		uint64_t r##letter##x;     \
		__XEN_REG_E(letter##x);    \
		uint16_t letter##x;        \
		struct {                   \
			uint8_t letter##l; \
			uint8_t letter##h; \
		};                         \
	}
#define __XEN_REG_INDEX(name)      \
	union {                    \
		uint64_t r##name;  \
		__XEN_REG_E(name); \
		uint16_t name;     \
		uint8_t name##l;   \
	}
#define __XEN_REG_WORD(name)       \
	union {                    \
		uint64_t r##name;  \
		__XEN_REG_E(name); \
		uint16_t name;     \
	}
#define __XEN_REG_NUM(n)          \
	union {                   \
		uint64_t r##n;    \
		uint32_t r##n##d; \
		uint16_t r##n##w; \
		uint8_t r##n##b;  \
	}

/* The register file as vCPU contexts carry it; rflags.IF mirrors !saved_upcall_mask. */
struct cpu_user_regs {
	__XEN_REG_NUM(15);
	__XEN_REG_NUM(14);
	__XEN_REG_NUM(13);
	__XEN_REG_NUM(12);
	__XEN_REG_INDEX(bp);
	__XEN_REG_ABCD(b);
	__XEN_REG_NUM(11);
	__XEN_REG_NUM(10);
	__XEN_REG_NUM(9);
	__XEN_REG_NUM(8);
	__XEN_REG_ABCD(a);
	__XEN_REG_ABCD(c);
	__XEN_REG_ABCD(d);
	__XEN_REG_INDEX(si);
	__XEN_REG_INDEX(di);
	uint32_t error_code;   /* meaningless to guests */
	uint32_t entry_vector; /* meaningless to guests */
	__XEN_REG_WORD(ip);
	uint16_t cs, _pad0[1];
	uint8_t saved_upcall_mask;
	uint8_t _pad1[3];
	__XEN_REG_WORD(flags);
	__XEN_REG_INDEX(sp);
	uint16_t ss, _pad2[3];
	uint16_t es, _pad3[3];
	uint16_t ds, _pad4[3];
	uint16_t fs, _pad5[3];
	uint16_t gs, _pad6[3];
};
typedef struct cpu_user_regs cpu_user_regs_t;
DEFINE_XEN_GUEST_HANDLE(cpu_user_regs_t);

#undef __XEN_REG_E
#undef __XEN_REG_ABCD
#undef __XEN_REG_INDEX
#undef __XEN_REG_WORD
#undef __XEN_REG_NUM

#define xen_pfn_to_cr3(pfn) ((unsigned long)(pfn) << 12)
#define xen_cr3_to_pfn(cr3) ((unsigned long)(cr3) >> 12)

/* The faulting address of the last page fault delivered to this vCPU. */
struct arch_vcpu_info {
	unsigned long cr2;
	unsigned long pad;
};
typedef struct arch_vcpu_info arch_vcpu_info_t;

typedef unsigned long xen_callback_t;

#endif /* !__ASSEMBLY__ */

/* The layouts, pinned: size and place of the last member. */
#ifndef __ASSEMBLY__
XEN_ABI_SIZE(struct iret_context, 72);
XEN_ABI_OFFSET(struct iret_context, ss, 64);
XEN_ABI_SIZE(struct cpu_user_regs, 200);
XEN_ABI_OFFSET(struct cpu_user_regs, _pad6, 194);
XEN_ABI_SIZE(struct arch_vcpu_info, 16);
XEN_ABI_OFFSET(struct arch_vcpu_info, pad, 8);
#endif

#endif /* __XEN_PUBLIC_ARCH_X86_XEN_X86_64_H__ */

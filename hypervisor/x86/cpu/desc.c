/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptors of a CPU: GDT, TSS, IDT, syscall entry.
 *
 * Each CPU has a GDT window of 16 pages at a fixed address. Its first 14 pages show the running PV guest's
 * GDT frames (x86/mm), page 14 is the hypervisor's own part at selectors 0xe000.., whose values the PV ABI
 * fixes. GDTR never changes after start-up.
 *
 * SYSCALL loads neither stack nor GS, and GS is the guest's. So LSTAR points to a stub of the CPU's
 * own, next to a page of data (struct entry_data), both in the CPU's entry area (mm.h):
 *
 *	mov %rsp, user_rsp(%rip) ; mov regs_top(%rip), %rsp ; push $SS ; push user_rsp(%rip) ; jmp
 */
#include "../boot/boot.h"
#include "../entry/traps.h"
#include <cpu.h>
#include <lib.h>
#include <mm.h>
#include <percpu.h>
#include <pv.h>
#include <xerrno.h>
#include <xpti.h>

struct tss {
	u32 reserved0;
	u64 rsp[3];
	u64 reserved1;
	u64 ist[7];
	u64 reserved2;
	u16 reserved3, iomap;
} __packed;

/* A page of its own: isolated guests run with it mapped, so that it holds nothing else. */
struct entry_data {
	struct tss tss;
	u64 user_rsp __aligned(8); /* scratch of the syscall stub */
	u64 regs_top;              /* end of the running vCPU's frame: what RSP0 points to */
};

static struct entry_data *entry_data[NR_CPUS];
static struct {
	u64 lo, hi;
} idt[256] __aligned(4096);

struct cpu_info *cpu_info_of(unsigned int cpu)
{
	return (struct cpu_info *)(ENTRY_STACK(cpu) + STACK_SIZE - sizeof(struct cpu_info));
}

/* Call gates and interrupts: SDM vol. 3, figure 6-8. */
static void idt_set(unsigned int vec, const void *fn, unsigned int dpl, unsigned int ist)
{
	u64 a = (u64)fn;

	idt[vec].lo = (a & 0xffff) | (u64)SEL_HV_CS << 16 | (u64)ist << 32 | (u64)(0x8e00 | dpl << 13) << 32 |
		      (a & 0xffff0000UL) << 32;
	idt[vec].hi = a >> 32;
}

static void idt_init(void)
{
	for (unsigned int i = 0; i < 256; i++)
		idt_set(i, trap_stubs[i], 0, 0);
	idt_set(X86_EXC_DF, trap_stubs[X86_EXC_DF], 0, 1);
	idt_set(X86_EXC_NMI, trap_stubs[X86_EXC_NMI], 0, 2);
	idt_set(X86_EXC_MC, trap_stubs[X86_EXC_MC], 0, 3);
	idt_set(X86_EXC_DB, trap_stubs[X86_EXC_DB], 0, 4);
	idt_set(X86_EXC_BP, trap_stubs[X86_EXC_BP], 3, 0);
	idt_set(X86_EXC_OF, trap_stubs[X86_EXC_OF], 3, 0);
	idt_set(0x80, trap_stubs[0x80], 3, 0);
}

void idt_early_load(void)
{
	struct {
		u16 limit;
		u64 base;
	} __packed idtr = {sizeof(idt) - 1, (u64)idt};

	idt_init();
	/* Before TSS and IST stacks exist, every vector uses the stack in use. */
	for (unsigned int i = 0; i < 256; i++)
		idt[i].lo &= ~(7UL << 32);
	__asm__ volatile("lidt %0" : : "m"(idtr));
}

static void stub_write(u8 *p, unsigned int cpu)
{
	u64 va = ENTRY_CODE(cpu), user_rsp = ENTRY_DATA(cpu) + offsetof(struct entry_data, user_rsp);
	u64 top = ENTRY_DATA(cpu) + offsetof(struct entry_data, regs_top);
	const u8 *targets[2] = {syscall_entry, syscall32_entry};

	for (unsigned int i = 0; i < 2; i++) {
		u8 *q = p + i * 64;
		u64 at = va + i * 64;
		u32 d;
#define PUT_REL(len, target)                                                  \
	do {                                                                  \
		d = (u32)((target) - (at + (u64)(q - (p + i * 64)) + (len))); \
		memcpy(q + (len)-4, &d, 4);                                   \
		q += (len);                                                   \
	} while (0)
		memcpy(q, "\x48\x89\x25", 3); /* mov %rsp, user_rsp(%rip) */
		PUT_REL(7, user_rsp);
		memcpy(q, "\x48\x8b\x25", 3); /* mov top(%rip), %rsp */
		PUT_REL(7, top);
		*q++ = 0x68; /* push $SEL_GUEST_DS, zero-extended as it is below 2 GiB */
		d = SEL_GUEST_DS;
		memcpy(q, &d, 4);
		q += 4;
		memcpy(q, "\xff\x35", 2); /* push user_rsp(%rip) */
		PUT_REL(6, user_rsp);
		*q = 0xe9; /* jmp */
		PUT_REL(5, (u64)targets[i]);
#undef PUT_REL
	}
}

static void gdt_write(u64 *g, u64 base)
{

	g[1] = 0x00af9b000000ffff; /* 0xe008 hypervisor code */
	g[2] = 0x00cf93000000ffff; /* 0xe010 hypervisor data */
	g[3] = 0x00cfda000000ffff; /* 0xe019 guest kernel code, 32 bit (unused by 64-bit guests) */
	g[4] = 0x00cffb000000ffff; /* 0xe023 guest user code, 32 bit */
	g[5] = 0x00cff3000000ffff; /* 0xe02b guest data */
	g[6] = 0x00affb000000ffff; /* 0xe033 guest code, 64 bit */
	g[3] |= 1UL << 45 | 1UL << 40;
	/* 0xe040 TSS, 16 bytes (SDM vol. 3, figure 7-4) */
	g[8] = (sizeof(struct tss) - 1) | (base & 0xffffff) << 16 | 0x89UL << 40 | (base >> 24 & 0xff) << 56;
	g[9] = base >> 32;
}

/* All that the CPU and entry.S touch while a root without the hypervisor is loaded. The window of descriptors and the
 * vCPU's page come with it (x86/mm/xpti.c). */
static int isolated_prepare(unsigned int cpu, mfn_t stub, mfn_t data, mfn_t stack)
{
	extern const u8 entry_text_start[], entry_text_end[];
	const u64 nx = cpu_feat.nx ? PTE_NX : 0, rx = PTE_P | PTE_A, ro = rx | nx, rw = ro | PTE_RW | PTE_D;
	const struct isolate_range needed[] = {
		{(u64)entry_text_start, (u64)(entry_text_end - entry_text_start) >> PAGE_SHIFT,
		 hv_addr_to_mfn((u64)entry_text_start), rx, "entry code"},
		{(u64)idt, 1, hv_addr_to_mfn((u64)idt), ro, "IDT"},
		{ENTRY_CODE(cpu), 1, stub, rx, "syscall stub"},
		{ENTRY_DATA(cpu), 1, data, rw, "TSS"},
		{ENTRY_STACK(cpu), IST_PAGES, stack, rw, "IST stacks"},
	};

	return xpti_cpu_prepare(cpu, needed, ARRAY_SIZE(needed));
}

int cpu_prepare(unsigned int cpu, void *stack_base)
{
	const u64 nx = cpu_feat.nx ? PTE_NX : 0, rw = PTE_P | PTE_RW | PTE_A | PTE_D | nx;
	struct entry_data *data;
	struct cpu_info *ci;
	u64 *gdt;
	u8 *stub;

	if (entry_data[cpu])
		return 0; /* started before, in vain */
	stub = hv_alloc_pages(0);
	gdt = hv_alloc_pages(0);
	data = hv_alloc_pages(0);
	if (!stub || !gdt || !data)
		return -ENOMEM;
	if (map_pages_hv(DESC_WINDOW(cpu) + 14 * PAGE_SIZE, virt_to_mfn(gdt), 1, rw) ||
	    map_pages_hv(ENTRY_CODE(cpu), virt_to_mfn(stub), 1, PTE_P | PTE_A) ||
	    map_pages_hv(ENTRY_DATA(cpu), virt_to_mfn(data), 1, rw) ||
	    map_pages_hv(ENTRY_STACK(cpu), hv_addr_to_mfn((u64)stack_base), STACK_SIZE / PAGE_SIZE, rw))
		return -ENOMEM;
	ci = cpu_info_of(cpu);
	ci->cpu = cpu;
	data->tss.iomap = sizeof(data->tss);
	for (unsigned int i = 0; i < IST_PAGES; i++)
		data->tss.ist[i] = ENTRY_STACK(cpu) + (i + 1) * PAGE_SIZE;
	data->tss.rsp[0] = (u64)ci;
	gdt_write(gdt, ENTRY_DATA(cpu));
	memset(stub, 0xcc, PAGE_SIZE);
	stub_write(stub, cpu);
	if (isolated_prepare(cpu, virt_to_mfn(stub), virt_to_mfn(data), hv_addr_to_mfn((u64)stack_base)))
		return -ENOMEM;
	entry_data[cpu] = data;
	return 0;
}

void cpu_set_entry_stack(struct vcpu *v)
{
	unsigned int cpu = smp_processor_id();
	struct entry_data *data = entry_data[cpu];
	u64 top = (u64)(v->entry_regs + 1);

	v->stack_top = (u64)cpu_info_of(cpu);
	data->user_rsp = 0;
	data->regs_top = top;
	data->tss.rsp[0] = top;
	wrmsr(MSR_SYSENTER_ESP, top);
}

static void load_tables(unsigned int cpu)
{
	struct {
		u16 limit;
		u64 base;
	} __packed gdtr = {15 * PAGE_SIZE - 1, DESC_WINDOW(cpu)}, idtr = {sizeof(idt) - 1, (u64)idt};

	__asm__ volatile("lgdt %0" : : "m"(gdtr));
	__asm__ volatile("lidt %0" : : "m"(idtr));
	__asm__ volatile("pushq %0; leaq 1f(%%rip), %%rax; pushq %%rax; lretq; 1: mov %1, %%ss; "
			 "mov %2, %%ds; mov %2, %%es; mov %2, %%fs; mov %2, %%gs"
			 :
			 : "i"(SEL_HV_CS), "r"(SEL_HV_DS), "r"(0)
			 : "rax", "memory");
	__asm__ volatile("lldt %w0" : : "r"(0));
	__asm__ volatile("ltr %w0" : : "r"(SEL_TSS));
}

static void load_msrs(unsigned int cpu)
{
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | 1 /* SCE */ | (cpu_feat.nx ? 0x800 : 0));
	/* SYSRET loads CS = [63:48] + 16 = 0xe033, SS = +8 = 0xe02b; SYSCALL CS = [47:32], SS = +8 */
	wrmsr(MSR_STAR, (u64)0xe023 << 48 | (u64)SEL_HV_CS << 32);
	wrmsr(MSR_LSTAR, ENTRY_CODE(cpu));
	wrmsr(MSR_CSTAR, ENTRY_CODE(cpu) + 64);
	wrmsr(MSR_SYSCALL_MASK, X86_EFLAGS_IF | X86_EFLAGS_TF | X86_EFLAGS_DF | X86_EFLAGS_NT |
					X86_EFLAGS_AC | X86_EFLAGS_IOPL | X86_EFLAGS_RF);
	/* SYSENTER exists in 64-bit mode on Intel CPUs only; the MSRs are harmless elsewhere. */
	wrmsr(MSR_SYSENTER_CS, cpu_feat.intel ? SEL_HV_CS : 0);
	wrmsr(MSR_SYSENTER_EIP, (u64)sysenter_entry);
	/* WB WT UC- UC, WC WP UC UC: what Linux expects of the ABI's PAT */
	wrmsr(MSR_PAT, 0x050100070406ULL);
}

void cpu_init_this(unsigned int cpu)
{
	if (!idt[0].lo)
		idt_init();
	if (!cpu)
		idt_init();
	WRITE_CR(0, X86_CR0_PE | X86_CR0_MP | X86_CR0_NE | X86_CR0_WP | X86_CR0_PG | 0x10);
	WRITE_CR(4, hv_cr4);
	load_tables(cpu);
	load_msrs(cpu);
}

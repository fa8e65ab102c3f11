/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Instructions a kernel has no right to, or uses wrongly. Each stands in a table with the address behind it: the
 * handler of all exceptions goes on there.
 */
#include "hostile.h"

#include "internal.h"

struct step {
	uint64_t at, behind;
};
extern const struct step __start_rough_steps[], __stop_rough_steps[];

#define STEP(code)          \
	"1: " code "\n2:\n" \
	".pushsection rough_steps, \"a\"\n.quad 1b, 2b\n.popsection\n"
#define INSN(name, code)                                                                            \
	static void name(uint64_t a, uint64_t c, uint64_t d)                                        \
	{                                                                                           \
		__asm__ volatile(STEP(code) : "+a"(a), "+c"(c), "+d"(d) : : "rbx", "memory", "cc"); \
	}

INSN(undefined, "ud2")
INSN(breakpoint, "int3")
INSN(int_0, "int $0")
INSN(int_8, "int $8")
INSN(int_14, "int $14")
INSN(int_80, "int $0x80")
INSN(int_82, "int $0x82")
INSN(int_ff, "int $0xff")
INSN(divide, "xor %%edx, %%edx\n xor %%ecx, %%ecx\n1: div %%ecx\n")
INSN(no_interrupts, "cli")
INSN(in_byte, "inb %%dx, %%al")
INSN(in_long, "inl %%dx, %%eax")
INSN(out_byte, "outb %%al, %%dx")
INSN(out_word, "outw %%ax, %%dx")
INSN(read_msr, "rdmsr")
INSN(write_msr, "wrmsr")
INSN(read_pmc, "rdpmc")
INSN(get_xcr, "xgetbv")
INSN(set_xcr, "xsetbv")
INSN(identify, "cpuid")
INSN(read_cr0, "mov %%cr0, %%rax")
INSN(write_cr0, "mov %%rax, %%cr0")
INSN(write_cr2, "mov %%rax, %%cr2")
INSN(read_cr3, "mov %%cr3, %%rax")
INSN(write_cr4, "mov %%rax, %%cr4")
INSN(write_cr8, "mov %%rax, %%cr8")
INSN(read_dr, "mov %%db6, %%rax")
INSN(write_dr0, "mov %%rax, %%db0")
INSN(write_dr7, "mov %%rax, %%db7")
INSN(load_gdt, "lgdt (%%rax)")
INSN(load_idt, "lidt (%%rax)")
INSN(load_ldt, "lldt %%ax")
INSN(load_tr, "ltr %%ax")
INSN(load_msw, "lmsw %%ax")
INSN(clear_ts, "clts")
INSN(drop_caches, "invd")
INSN(write_caches, "wbinvd")
INSN(drop_page, "invlpg (%%rax)")
INSN(swap_gs, "swapgs")
INSN(system_return, "sysretq")
INSN(system_exit, "sysexit")
INSN(vm_call, "vmcall")
INSN(vm_run, "vmrun")
INSN(watch, "monitor")
INSN(set_ds, "mov %%eax, %%ds")
INSN(set_es, "mov %%eax, %%es")
INSN(set_fs, "mov %%eax, %%fs")
INSN(set_gs, "mov %%eax, %%gs")
INSN(access_rights, "lar %%eax, %%ecx")
INSN(set_flags, "and $0x254dd5, %%eax\n push %%rax\n popfq\n cld\n")
INSN(read_memory, "mov (%%rax), %%rcx")
INSN(write_memory, "mov %%rcx, (%%rax)")
INSN(read_time, "rdtscp")
INSN(write_xmm, "movaps %%xmm0, %%xmm1")
INSN(write_byte, "mov %%cl, (%%rax)")
INSN(write_long, "mov %%ecx, (%%rax)")
INSN(write_quad, "mov %%rcx, (%%rax)")
INSN(exchange, "xchg %%rcx, (%%rax)")
INSN(compare_exchange, "lock cmpxchg %%rcx, (%%rdx)")
INSN(lock_or, "lock or %%rcx, (%%rax)")
INSN(lock_bit, "lock btsq $5, (%%rax)")

typedef void insn_fn(uint64_t a, uint64_t c, uint64_t d);

static insn_fn *const any_operand[] = {
	undefined, breakpoint,    int_0,        int_8,     int_14,        int_80,        int_82,    int_ff,
	divide,    read_msr,      read_pmc,     get_xcr,   set_xcr,       identify,      read_cr0,  write_cr0,
	write_cr2, read_cr3,      write_cr4,    write_cr8, read_dr,       write_dr0,     load_ldt,  load_tr,
	load_msw,  clear_ts,      drop_caches,  swap_gs,   system_return, system_exit,   vm_call,   vm_run,
	watch,     set_ds,        set_es,       set_fs,    set_gs,        access_rights, set_flags, read_time,
	write_xmm, no_interrupts, write_caches,
};

/* Addresses a guest may not write to, or not even read. */
static const uint64_t forbidden[] = {
	0,
	0xffff800000000000UL,
	0xffff808000000000UL,
	0xffff820000000000UL,
	0xffff82d080000000UL,
	0xffff830000000000UL,
	0xffff87ffffffffffUL,
	0x0000800000000000UL,
	0x8000000000000000UL,
};
static insn_fn *const with_address[] = {load_gdt, load_idt, drop_page, read_memory, write_memory};
static insn_fn *const with_port[] = {in_byte, in_long, out_byte, out_word};
static insn_fn *const writes[] = {write_byte, write_long, write_quad, exchange, lock_or, lock_bit};

static const uint32_t known_msrs[] = {
	0x10,       0x1b,       0x48,       0x49,       0x8b,       0xce,       0xe7,       0xfe,
	0x174,      0x175,      0x176,      0x179,      0x17a,      0x1a0,      0x1d9,      0x200,
	0x277,      0x2ff,      0x400,      0x6e0,      0xda0,      0xc0000080, 0xc0000081, 0xc0000082,
	0xc0000083, 0xc0000084, 0xc0000100, 0xc0000101, 0xc0000102, 0xc0000103, 0xc0010015, 0xc001001f,
	0xc0010114, 0xc0010117, 0xc0011029, 0x4b564d00,
};

static bool step_over(struct trap_frame *f)
{
	/* Single steps and data breakpoints, wherever they struck, and what execution went behind already. */
	f->rflags &= ~(uint64_t)0x44100; /* AC, NT, TF */
	if (f->vector == VECTOR_FAILSAFE || f->vector == 1 || f->vector == 3 || f->vector == 4 ||
	    f->vector == 17 || f->vector == 0x80)
		return true;
	for (const struct step *s = __start_rough_steps; s < __stop_rough_steps; s++)
		if (f->rip >= s->at && f->rip < s->behind) {
			f->rip = s->behind;
			return true;
		}
	return false;
}

static void all_handlers(trap_handler_fn *fn)
{
	for (unsigned int i = 0; i < 32; i++)
		trap_set_handler(i, fn);
	trap_set_handler(0x80, fn);
	trap_set_handler(VECTOR_FAILSAFE, fn);
}

void insns_begin(void)
{
	all_handlers(step_over);
}

void insns_end(void)
{
	write_dr7(0x400, 0, 0);
	all_handlers(NULL);
}

/* Page tables are written at one place by several vCPUs at once, in every width. */
void insn_write(struct rough *me, volatile void *at, uint64_t value)
{
	if (rnd(me) % 8 == 0)
		compare_exchange(*(volatile uint64_t *)((uint64_t)at & ~7UL), value, (uint64_t)at & ~7UL);
	else
		writes[rnd(me) % ARRAY_SIZE(writes)]((uint64_t)at & ~7UL, value, 0);
	me->done++;
}

void random_instruction(struct rough *me)
{
	uint64_t a = random_word(me), c = random_word(me), d = random_word(me);

	/* Rare, and not for long: an emulated machine throws all translations away for each. */
	if (rnd(me) % 512 == 0) {
		write_dr7(a, c, d);
		write_dr7(0x400, c, d);
	}
	switch (rnd(me) % 8) {
	case 0:
		a = forbidden[rnd(me) % ARRAY_SIZE(forbidden)] + rnd(me) % 4096;
		with_address[rnd(me) % ARRAY_SIZE(with_address)](a, c, d);
		break;
	case 1: /* the control domain's ports do what they say */
		d = is_dom0() ? 0x80 : rnd(me) % 2 ? 0xcf8 + rnd(me) % 8 : rnd(me) % 65536;
		with_port[rnd(me) % ARRAY_SIZE(with_port)](a, c, d);
		break;
	case 2:
		c = known_msrs[rnd(me) % ARRAY_SIZE(known_msrs)];
		if (is_dom0())
			read_msr(a, c, d);
		else
			write_msr(a, c, d);
		break;
	default:
		any_operand[rnd(me) % ARRAY_SIZE(any_operand)](a, c, d);
	}
	me->done++;
}

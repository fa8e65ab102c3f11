/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Last words: register dumps, backtraces along the frame pointers, panic and failed assertions.
 * Everything here may run with the machine in any state, so it takes no lock but the console's and
 * follows no pointer it has not checked.
 */
#include <console.h>
#include <lib.h>
#include <mm.h>
#include <percpu.h>
#include <power.h>
#include <regs.h>
#include <smp.h>
#include <xen/sched.h>

#define MAX_DEPTH 24

extern const char text_start[], text_end[]; /* image.lds */

static bool is_text(u64 a)
{
	return a >= (u64)text_start && a < (u64)text_end;
}

/* Is the word at p on the stack of this CPU? */
static bool on_stack(u64 p)
{
	u64 base = (u64)cpu_info() & ~(STACK_SIZE - 1);

	return !(p & 7) && p >= base && p <= base + STACK_SIZE - 16;
}

/* Frames are linked through %rbp: [rbp] is the caller's rbp, [rbp + 8] the return address. */
void dump_backtrace(u64 rip, u64 rbp)
{
	char name[96];

	printk("Backtrace:\n");
	printk("   %s\n", symbol_format(name, sizeof(name), rip));
	for (unsigned int i = 0; i < MAX_DEPTH && on_stack(rbp); i++) {
		const u64 *frame = (const u64 *)rbp;

		if (!is_text(frame[1]))
			break;
		printk("   %s\n", symbol_format(name, sizeof(name), frame[1]));
		if (frame[0] <= rbp)
			break;
		rbp = frame[0];
	}
}

static void dump_stack_words(u64 sp)
{
	printk("Stack at %016lx:\n", sp);
	for (unsigned int i = 0; i < 16 && on_stack(sp + 8 * i); i++)
		printk("%s%016lx%s", i % 4 ? " " : "   ", ((const u64 *)sp)[i], i % 4 == 3 ? "\n" : "");
	printk("\n");
}

static u64 read_cr(unsigned int n)
{
	u64 v;

	if (n == 0)
		__asm__ volatile("mov %%cr0, %0" : "=r"(v));
	else if (n == 2)
		__asm__ volatile("mov %%cr2, %0" : "=r"(v));
	else if (n == 3)
		__asm__ volatile("mov %%cr3, %0" : "=r"(v));
	else
		__asm__ volatile("mov %%cr4, %0" : "=r"(v));
	return v;
}

void dump_regs(const struct regs *r)
{
	char name[96];
	bool guest = regs_from_guest(r);
	const struct vcpu *v = current;

	printk("----[ Serai x86_64  CPU %u  %s ]----\n", smp_processor_id(), guest ? "guest" : "hypervisor");
	printk("RIP:    %04x:%s\n", r->cs, guest ? "" : symbol_format(name, sizeof(name), r->rip));
	if (guest || !is_text(r->rip))
		printk("        %016lx\n", r->rip);
	if (v && !v->is_idle && v->domain)
		printk("current: d%uv%u\n", v->domain->id, v->id);
	printk("RFLAGS: %016lx  vector %#x error %#x\n", r->rflags, r->entry_vector, r->error_code);
	printk("rax: %016lx  rbx: %016lx  rcx: %016lx\n", r->rax, r->rbx, r->rcx);
	printk("rdx: %016lx  rsi: %016lx  rdi: %016lx\n", r->rdx, r->rsi, r->rdi);
	printk("rbp: %016lx  rsp: %016lx  r8:  %016lx\n", r->rbp, r->rsp, r->r8);
	printk("r9:  %016lx  r10: %016lx  r11: %016lx\n", r->r9, r->r10, r->r11);
	printk("r12: %016lx  r13: %016lx  r14: %016lx\n", r->r12, r->r13, r->r14);
	printk("r15: %016lx  ss: %04x\n", r->r15, r->ss);
	printk("cr0: %016lx  cr2: %016lx  cr3: %016lx  cr4: %016lx\n", read_cr(0), read_cr(2), read_cr(3),
	       read_cr(4));
	if (guest)
		return;
	dump_stack_words(r->rsp);
	dump_backtrace(r->rip, r->rbp);
}

static void __noreturn die(void)
{
	printk("****************************************\n\n");
	hwdom_shutdown(SHUTDOWN_crash);
}

static u32 panicking; /* CPU + 1 of the first to panic */

/* A second panic while printing the first says one line at most; another CPU's panic waits to be
 * stopped. */
static void panic_begin(void)
{
	u32 none = 0, me = smp_processor_id() + 1;

	if (!__atomic_compare_exchange_n(&panicking, &none, me, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
		if (none == me)
			machine_restart();
		for (;;)
			__asm__ volatile("pause");
	}
	console_start_sync();
	smp_stop_others();
	printk("\n****************************************\nPanic on CPU %u:\n", smp_processor_id());
}

void panic(const char *fmt, ...)
{
	va_list ap;

	panic_begin();
	va_start(ap, fmt);
	vprintk(fmt, ap);
	va_end(ap);
	printk("\n");
	dump_backtrace((u64)__builtin_return_address(0), *(u64 *)__builtin_frame_address(0));
	die();
}

void panic_regs(const struct regs *r, const char *fmt, ...)
{
	va_list ap;

	panic_begin();
	va_start(ap, fmt);
	vprintk(fmt, ap);
	va_end(ap);
	printk("\n");
	dump_regs(r);
	die();
}

void bug(const char *what, const char *file, int line)
{
	panic_begin();
	printk("%s at %s:%d\n", what, file, line);
	dump_backtrace((u64)__builtin_return_address(0), *(u64 *)__builtin_frame_address(0));
	die();
}

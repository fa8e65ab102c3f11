/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A tiny 64-bit PV kernel: what the conformance and benchmark kernels are made of.
 *
 * A kernel is lib/ plus one file of cases. It boots directly as the control domain (console
 * by console_io) or as an ordinary domain (console by the PV ring), runs its cases in order,
 * prints one line for each and shuts down. It depends on guest-headers/ and nothing else.
 */
#ifndef GUEST_GUEST_H
#define GUEST_GUEST_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xen/errno.h>
#include <xen/vcpu.h>
#include <xen/xen.h>

#include "hypercall.h"

#define PAGE_SIZE 4096UL
#define PAGE_MASK (~(PAGE_SIZE - 1))
#define VIRT_BASE 0xffffffff80000000UL
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define __page_aligned __attribute__((aligned(4096)))
#define __noreturn __attribute__((noreturn))
#define __used __attribute__((used))
#define barrier() __asm__ volatile("" ::: "memory")

/* lib/start.S */
extern struct start_info *start_info;
extern char hypercall_page[PAGE_SIZE];
extern struct start_of_day {
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp, r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rflags, cs, ss, ds, es, fs, gs;
} start_of_day;

/* lib/string.c */
void *memset(void *s, int c, size_t n);
void *memcpy(void *d, const void *s, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap);
int snprintf(char *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* lib/console.c */
void console_init(void);
void console_write(const char *s, size_t n);
void printk(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The value of name=... on the command line, or NULL; ends at a space. */
const char *cmdline_option(const char *name, char *buf, size_t size);

/* lib/report.c */
enum verdict { SUCCESS, SKIP, ERROR, FAILURE };
struct guest_case {
	const char *name;
	void (*run)(void);
};
/*
 * CASE(name) declares a case of this kernel; cases run in the order of the file. A case that
 * returns without a complaint is a success. check() records a failure and goes on, require()
 * leaves the case, record() reports a value that must be the same on every hypervisor.
 */
#define CASE(case_name)                                                                      \
	static void case_##case_name(void);                                                  \
	static const struct guest_case __used __attribute__((section(".cases"), aligned(8))) \
	entry_##case_name = {#case_name, case_##case_name};                                  \
	static void case_##case_name(void)
#define check(cond) check_result(!!(cond), #cond, __LINE__)
#define check_eq(a, b) check_equal((uint64_t)(a), (uint64_t)(b), #a " == " #b, __LINE__)
#define require(cond)             \
	do {                      \
		if (!check(cond)) \
			return;   \
	} while (0)
bool check_result(bool ok, const char *what, int line);
bool check_equal(uint64_t a, uint64_t b, const char *what, int line);
void record(const char *name, uint64_t value);
void skip(const char *why);
void error(const char *why);
void __noreturn shutdown(unsigned int reason);
void run_cases(void);

/* lib/probe.S: run an instruction sequence with every register chosen, and see them all after. */
struct regs {
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp, r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rflags;
};
/*
 * Loads `in`, jumps to code, and returns when the code reaches probe_done with the registers of
 * that moment in `out`. rsp == 0 in `in` means the stack as it is. A trap out of the code comes
 * back too: see trap_probe().
 */
void probe(const struct regs *in, struct regs *out, const void *code);
extern const char probe_done[];
/* Code for probe(): calls %rax with %rdi as its argument. */
extern const char probe_call[];
void regs_fill(struct regs *r, uint64_t seed);
/* Checks that all registers but those in the mask (bit n: n-th member) are equal. */
void check_regs(const struct regs *want, const struct regs *got, uint32_t except, int line);
#define R_RAX (1u << 0)
#define R_RCX (1u << 2)
#define R_RSP (1u << 7)
#define R_R11 (1u << 11)
#define R_RFLAGS (1u << 16)

/* lib/trap.c: exceptions as values. */
struct trap_frame {
	struct regs regs; /* as the handler found them; rsp, rcx, r11 and rflags of the handler */
	uint64_t vector;
	uint64_t rcx, r11; /* from the frame */
	uint64_t error;    /* 0 where the vector has none */
	uint64_t rip, cs, rflags, rsp, ss;
};
#define NO_TRAP 256
extern struct trap_frame last_trap; /* vector NO_TRAP when nothing happened */
extern unsigned int trap_count;
void trap_init(void);
/* On every further vCPU that wants traps. */
void trap_table_load(void);
/*
 * Runs code under the trap net: a trap is recorded in last_trap and execution goes on at
 * probe_done. Returns the vector, or NO_TRAP.
 */
unsigned int trap_probe(const struct regs *in, struct regs *out, const void *code);
/* Calls fn(arg) under the net; a trap abandons it. Returns the vector, or NO_TRAP. */
unsigned int trap_call(void (*fn)(void *), void *arg);
/* Handler for one vector instead of the net; returns true when the frame was dealt with. */
typedef bool trap_handler_fn(struct trap_frame *f);
void trap_set_handler(unsigned int vector, trap_handler_fn *fn);
void trap_set_gate(unsigned int vector, unsigned int flags);

/* lib/user.c: one user process with code at USER_CODE and a stack below USER_STACK_TOP. */
#define USER_CODE 0x400000UL
#define USER_DATA 0x401000UL
#define USER_STACK_TOP 0x404000UL
enum user_exit { EXIT_SYSCALL = 0x100, EXIT_SYSCALL32, EXIT_SYSENTER };
struct user_state {
	struct regs regs; /* rsp and rflags included */
	uint64_t rip, cs, ss;
};
struct user_result {
	unsigned int why;  /* trap vector or enum user_exit */
	struct regs regs;  /* the registers the kernel found at its entry point */
	uint64_t rcx, r11; /* from the stack frame */
	uint64_t error, rip, cs, rflags, rsp, ss;
	uint64_t frame;      /* where the frame was, relative to the kernel stack top */
	uint8_t upcall_mask; /* vcpu_info mask at entry */
};
bool user_init(void);
/* The kernel's mapping of the pages from USER_DATA on. */
void *user_data_page(void);
/* Copies code into the user page, runs it through iret until it comes back. */
void user_run(struct user_state *u, const void *code, size_t size, uint64_t iret_flags,
	      struct user_result *out);

/* lib/mm.c */
#define PTE_P 0x1UL
#define PTE_W 0x2UL
#define PTE_U 0x4UL
#define PTE_A 0x20UL
#define PTE_D 0x40UL
#define PTE_PS 0x80UL
#define PTE_G 0x100UL
#define PTE_NX (1UL << 63)
#define PTE_ADDR 0x000ffffffffff000UL
typedef uint64_t pte_t;
void mm_init(void);
unsigned long virt_to_pfn(const void *va);
unsigned long virt_to_mfn(const void *va);
void *pfn_to_virt(unsigned long pfn);
void *mfn_to_virt(unsigned long mfn);
#define pfn_to_mfn(pfn) (((unsigned long *)start_info->mfn_list)[pfn])
/* The level-n entry (1..4) that maps va in the current tables, or NULL. */
pte_t *pte_of(unsigned long va, int level);
/* Machine address of that entry. */
uint64_t pte_maddr(unsigned long va, int level);
long update_va(unsigned long va, pte_t val, unsigned long flags);
long mmu_update_one(uint64_t ptr, uint64_t val);
long mmuext_one(unsigned int cmd, unsigned long arg1);
/* Changes the mapping of one of our own pages; 0 or an errno. */
long set_readonly(void *va);
long set_writable(void *va);
/* A fresh page of our own, mapped writable, zeroed. */
void *page_alloc(void);
void page_free(void *page);

/* lib/event.c */
extern struct shared_info *shared_info;
#define vcpu_info0 (&shared_info->vcpu_info[0])
void event_init(void);
typedef void event_handler_fn(uint32_t port);
void event_set_handler(event_handler_fn *fn);
extern unsigned int upcall_count;
uint64_t uptime_ns(void); /* system time */
void event_unmask(uint32_t port);
void event_mask(uint32_t port);
bool event_pending(uint32_t port);
void event_clear(uint32_t port);
static inline void upcalls_off(void)
{
	*(volatile uint8_t *)&vcpu_info0->evtchn_upcall_mask = 1;
	barrier();
}
/* Lets pending upcalls in at once, as a kernel's sti does. */
void upcalls_on(void);

/* lib/xenstore.c: in domains other than the control domain */
bool store_read(const char *path, char *buf, size_t size);
bool store_write(const char *path, const char *value);
void store_pause(void); /* until the daemon says something, or a moment has passed */
/* Any request: false with the name of the error in buf when it was refused. */
bool store_ask(uint32_t type, uint32_t tx, const void *body, size_t len, char *buf, size_t size);
typedef void store_event_fn(const char *path, const char *token);
void store_set_event_handler(store_event_fn *fn);
bool store_event(void); /* takes one event that has arrived; false: there is none */

/* lib/suspend.c: being saved and restored (docs/abi/suspend.md), with one vCPU */
void suspend_offer_frames(void);
void suspend_wait_for_request(void);
/* Before and after the shutdown call, whose result says whether this is the restored domain (0) or not (1). */
bool suspend_prepare(void);
bool suspend_over(long ret);
/* All of it: waits to be asked, and returns the call's result, or -1. */
long suspend_plainly(void);

/* lib/vcpu.c */
#define MAX_VCPUS 4
/* Starts vCPU n at fn with a stack of its own; 0 or an errno. */
long vcpu_start(unsigned int n, void (*fn)(void));
/* The same in two steps, for those who want something else in the context. */
unsigned int vcpu_id(void); /* by the stack */
struct vcpu_guest_context *vcpu_context(unsigned int n, void (*fn)(void));
long vcpu_start_with(unsigned int n, struct vcpu_guest_context *c);

static inline uint64_t rdtsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)hi << 32 | lo;
}

static inline bool is_dom0(void)
{
	return start_info->flags & SIF_INITDOMAIN;
}

#endif

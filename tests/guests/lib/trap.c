/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exceptions as values. A trap that no handler claims and that happens under the net is
 * recorded, and execution goes on at probe_done with the registers of the trap; outside the net
 * it ends the kernel with a dump.
 */
#include <xen/callback.h>
#include <xen/sched.h>

#include "guest.h"
#include "internal.h"

struct trap_frame last_trap;
unsigned int trap_count;

static bool net;
static trap_handler_fn *handlers[VECTOR_FAILSAFE + 1];
static struct trap_info gates[36];

extern const char trap_stubs[], trap_int80[], trap_int30[];
extern uint64_t probe_rsp;
void trap_dispatch(struct trap_frame *f);

void trap_set_handler(unsigned int vector, trap_handler_fn *fn)
{
	handlers[vector] = fn;
}

static void __noreturn die(const struct trap_frame *f)
{
	printk("SG detail unexpected trap %lu error %lx rip %lx cs %lx rflags %lx rsp %lx cr2 %lx\n",
	       f->vector, f->error, f->rip, f->cs, f->rflags, f->rsp,
	       shared_info ? shared_info->vcpu_info[vcpu_id()].arch.cr2 : 0);
	printk("SG end error\n");
	shutdown(is_dom0() ? SHUTDOWN_reboot : SHUTDOWN_crash);
}

void trap_dispatch(struct trap_frame *f)
{
	if (f->vector == VECTOR_EVENT) {
		event_dispatch();
		return;
	}
	trap_count++;
	if (f->vector < ARRAY_SIZE(handlers) && handlers[f->vector] && handlers[f->vector](f))
		return;
	if ((f->cs & 3) == 3)
		user_came_back(f);
	if (!net)
		die(f);
	net = false;
	last_trap = *f;
	f->rip = (uint64_t)probe_done;
	f->rsp = probe_rsp;
	f->rflags &= ~(uint64_t)0x40100; /* AC, TF */
}

unsigned int trap_probe(const struct regs *in, struct regs *out, const void *code)
{
	last_trap.vector = NO_TRAP;
	net = true;
	probe(in, out, code);
	net = false;
	return (unsigned int)last_trap.vector;
}

unsigned int trap_call(void (*fn)(void *), void *arg)
{
	struct regs in = {.rax = (uint64_t)fn, .rdi = (uint64_t)arg, .rflags = 2}, out;

	return trap_probe(&in, &out, probe_call);
}

void trap_set_gate(unsigned int vector, unsigned int flags)
{
	struct trap_info one[2] = {{0}};
	const char *stub = vector == 0x80   ? trap_int80
			   : vector == 0x30 ? trap_int30
					    : trap_stubs + 16 * vector;

	one[0].vector = (uint8_t)vector;
	one[0].flags = (uint8_t)flags;
	one[0].cs = FLAT_KERNEL_CS;
	one[0].address = (unsigned long)stub;
	hypercall1(__HYPERVISOR_set_trap_table, (unsigned long)one);
}

/* The table is the vCPU's. */
void trap_table_load(void)
{
	hypercall1(__HYPERVISOR_set_trap_table, (unsigned long)gates);
}

static void callback(uint16_t type, uint16_t flags, const char *entry)
{
	struct callback_register cb = {type, flags, (unsigned long)entry};

	hypercall2(__HYPERVISOR_callback_op, CALLBACKOP_register, (unsigned long)&cb);
}

void trap_init(void)
{
	unsigned int i;

	for (i = 0; i < 32; i++) {
		gates[i].vector = (uint8_t)i;
		gates[i].flags = (i == 3 || i == 4) ? 3 : 0;
		gates[i].cs = FLAT_KERNEL_CS;
		gates[i].address = (unsigned long)trap_stubs + 16 * i;
	}
	gates[32] = (struct trap_info){0x80, 3, FLAT_KERNEL_CS, (unsigned long)trap_int80};
	gates[33] = (struct trap_info){0x30, 3, FLAT_KERNEL_CS, (unsigned long)trap_int30};
	trap_table_load();
	callback(CALLBACKTYPE_event, 0, entry_event);
	callback(CALLBACKTYPE_failsafe, CALLBACKF_mask_events, entry_failsafe);
	callback(CALLBACKTYPE_syscall, 0, entry_syscall);
	callback(CALLBACKTYPE_syscall32, 0, entry_syscall32);
	callback(CALLBACKTYPE_sysenter, 0, entry_sysenter);
}

void regs_fill(struct regs *r, uint64_t seed)
{
	uint64_t *p = (uint64_t *)r;
	unsigned int i;

	for (i = 0; i < 16; i++) {
		seed = seed * 6364136223846793005UL + 1442695040888963407UL;
		p[i] = seed ^ (seed >> 29);
	}
	r->rsp = 0;
	r->rflags = 2;
}

void check_regs(const struct regs *want, const struct regs *got, uint32_t except, int line)
{
	static const char *const names[] = {"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp",   "r8",
					    "r9",  "r10", "r11", "r12", "r13", "r14", "r15", "rflags"};
	const uint64_t *w = (const uint64_t *)want, *g = (const uint64_t *)got;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (!(except & (1u << i)))
			check_equal(g[i], w[i], names[i], line);
}

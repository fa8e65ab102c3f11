/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Round trips from user mode; the user code takes the readings itself and leaves them in its data. */
#include <xen/callback.h>

#include "bench.h"
#include "internal.h"
#include "usercode.h"

extern const char fast_syscall_sysret[], fast_syscall_iret[], fast_skip0[], fast_skip2[], fast_error_skip3[];

/* r12: where to store, r13: how many, then the trip; ends by a breakpoint. */
#define LOOP(name, trip)                                                                \
	USER_ASM(name, "1: rdtsc\n mov %eax, %esi\n" trip "\n rdtsc\n sub %esi, %eax\n" \
		       "mov %eax, (%r12)\n add $4, %r12\n dec %r13d\n jnz 1b\n"         \
		       "mov (%r14), %rax\n ud2\n 2: jmp 2b")

LOOP(u_syscall, "syscall");
LOOP(u_int80, "int $0x80");
LOOP(u_ud2, "ud2");
LOOP(u_pf, "mov (%r15), %rax");

static void gate(unsigned int vector, unsigned int flags, const char *handler)
{
	struct trap_info t[2] = {{(uint8_t)vector, (uint8_t)flags, FLAT_KERNEL_CS, (unsigned long)handler},
				 {0}};

	hypercall1(__HYPERVISOR_set_trap_table, (unsigned long)t);
}

static void syscall_entry(const char *entry)
{
	struct callback_register cb = {CALLBACKTYPE_syscall, 0, (unsigned long)entry};

	hypercall2(__HYPERVISOR_callback_op, CALLBACKOP_register, (unsigned long)&cb);
}

/* The loop's end is a page fault (or, in that row, an invalid opcode) to the library. */
static void trips(const char *name, const char *code, const char *end)
{
	static struct user_state u;
	static struct user_result r;

	user_state64(&u, 1);
	u.regs.r12 = USER_DATA;
	u.regs.r13 = SAMPLES;
	u.regs.r14 = end ? 0x700000 : USER_DATA;
	u.regs.r15 = 0x700000;
	user_run(&u, code, 128, 0, &r);
	memcpy(samples, user_data_page(), sizeof(samples));
	row(name, SAMPLES);
}

void bench_user(void)
{
	if (!user_init())
		return;
	syscall_entry(fast_syscall_sysret);
	trips("user_syscall_sysret", user_u_syscall, NULL);
	syscall_entry(fast_syscall_iret);
	trips("user_syscall_iret", user_u_syscall, NULL);
	gate(0x80, 3, fast_skip0);
	trips("user_int80", user_u_int80, NULL);
	gate(6, 0, fast_skip2);
	trips("user_ud2", user_u_ud2, "by page fault");
	trap_init();
	gate(14, 0, fast_error_skip3);
	trips("user_pf_np", user_u_pf, NULL);
	trap_init();
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way in is IRETQ, which loads RIP, CS, flags and RSP at once; the way out is a signal: SIGTRAP of the
 * INT3 that follows, or the fault. The handler runs on a stack of its own, since RSP is the test's.
 */
#include "native.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <ucontext.h>

struct arena *arena;

static struct cpu_state *volatile running;
static volatile unsigned int vector;
u64 native_host_rsp;
void native_enter(const struct cpu_state *s, u64 cs);
extern char native_exit[];

__asm__(".text\n"
	".globl native_enter\n"
	"native_enter:\n\t"
	"push %rbx\n\tpush %rbp\n\tpush %r12\n\tpush %r13\n\tpush %r14\n\tpush %r15\n\t"
	"mov %rsp, native_host_rsp(%rip)\n\t"
	"mov $0x2b, %eax\n\tmov %eax, %ds\n\tmov %eax, %es\n\t"
	"push %rax\n\t"       /* SS */
	"push 4*8(%rdi)\n\t"  /* RSP */
	"push 17*8(%rdi)\n\t" /* flags */
	"push %rsi\n\t"       /* CS */
	"push 16*8(%rdi)\n\t" /* RIP */
	"mov 0*8(%rdi), %rax\n\tmov 1*8(%rdi), %rcx\n\tmov 2*8(%rdi), %rdx\n\t"
	"mov 3*8(%rdi), %rbx\n\tmov 5*8(%rdi), %rbp\n\tmov 6*8(%rdi), %rsi\n\t"
	"mov 8*8(%rdi), %r8\n\tmov 9*8(%rdi), %r9\n\tmov 10*8(%rdi), %r10\n\t"
	"mov 11*8(%rdi), %r11\n\tmov 12*8(%rdi), %r12\n\tmov 13*8(%rdi), %r13\n\t"
	"mov 14*8(%rdi), %r14\n\tmov 15*8(%rdi), %r15\n\tmov 7*8(%rdi), %rdi\n\t"
	"iretq\n"
	".globl native_exit\n"
	"native_exit:\n\t"
	"pop %r15\n\tpop %r14\n\tpop %r13\n\tpop %r12\n\tpop %rbp\n\tpop %rbx\n\tret\n");

static const int order[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
			      REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

static void handler(int sig, siginfo_t *info, void *uc)
{
	greg_t *g = ((ucontext_t *)uc)->uc_mcontext.gregs;
	struct cpu_state *s = running;

	(void)info;
	for (unsigned int i = 0; i < 16; i++)
		s->gpr[i] = (u64)g[order[i]];
	s->rip = (u64)g[REG_RIP] - (sig == SIGTRAP);
	s->rflags = (u64)g[REG_EFL];
	vector = (unsigned int)g[REG_TRAPNO];
	g[REG_RIP] = (greg_t)native_exit;
	g[REG_RSP] = (greg_t)native_host_rsp;
	g[REG_EFL] = 0x202;
	g[REG_CSGSFS] = (g[REG_CSGSFS] & ~0xffffLL) | 0x33;
}

bool native_setup(void)
{
	static u8 stack[65536];
	stack_t alt = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
	static const int signals[] = {SIGTRAP, SIGSEGV, SIGILL, SIGFPE, SIGBUS};

	if (!arena)
		arena = mmap(NULL, sizeof(*arena), PROT_READ | PROT_WRITE | PROT_EXEC,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (arena == MAP_FAILED || sigaltstack(&alt, NULL))
		return false;
	for (unsigned int i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &sa, NULL);
	return true;
}

unsigned int native_run(struct cpu_state *s, bool compat)
{
	struct cpu_state in = *s;

	running = s;
	native_enter(&in, compat ? 0x23 : 0x33);
	return vector;
}

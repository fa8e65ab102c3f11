/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One user process: a second root table with four pages, entered by the iret hypercall, left by
 * whatever trap or system call comes. The kernel stack of its entries is a page of its own, so
 * that the position of every frame is known.
 */
#include "guest.h"
#include "internal.h"

static char code_page[PAGE_SIZE] __page_aligned;
static char data_pages[3][PAGE_SIZE] __page_aligned;
static char entry_stack[2 * PAGE_SIZE] __page_aligned;
static pte_t user_table[4][512] __page_aligned; /* L1 to L4 */

static struct user_result *result;
static bool ready;

#define TABLE_BITS (PTE_P | PTE_W | PTE_U | PTE_A)

void *user_data_page(void)
{
	return data_pages;
}

bool user_init(void)
{
	unsigned int i;
	long ret = 0;

	if (ready)
		return true;
	user_table[0][0] = virt_to_mfn(code_page) << 12 | PTE_P | PTE_W | PTE_U | PTE_A | PTE_D;
	for (i = 0; i < 3; i++)
		user_table[0][1 + i] =
			virt_to_mfn(data_pages[i]) << 12 | PTE_P | PTE_W | PTE_U | PTE_A | PTE_D;
	user_table[1][2] = virt_to_mfn(user_table[0]) << 12 | TABLE_BITS;
	user_table[2][0] = virt_to_mfn(user_table[1]) << 12 | TABLE_BITS;
	user_table[3][0] = virt_to_mfn(user_table[2]) << 12 | TABLE_BITS;
	for (i = 0; i < 4; i++)
		ret |= set_readonly(user_table[i]);
	ret |= mmuext_one(MMUEXT_PIN_L4_TABLE, virt_to_mfn(user_table[3]));
	ret |= mmuext_one(MMUEXT_NEW_USER_BASEPTR, virt_to_mfn(user_table[3]));
	ret |= hypercall2(__HYPERVISOR_stack_switch, FLAT_KERNEL_SS,
			  (unsigned long)entry_stack + sizeof(entry_stack));
	if (ret)
		error("no user page tables");
	ready = !ret;
	return ready;
}

void user_run(struct user_state *u, const void *code, size_t size, uint64_t iret_flags,
	      struct user_result *out)
{
	/* In the middle of a buffer: an upcall on the way pushes its frame below. */
	static struct {
		char room[2048];
		struct iret_context frame;
	} stack __attribute__((aligned(16)));

	memcpy(code_page, code, size);
	stack.frame = (struct iret_context){
		.rax = u->regs.rax,
		.r11 = u->regs.r11,
		.rcx = u->regs.rcx,
		.flags = iret_flags,
		.rip = u->rip,
		.cs = u->cs,
		.rflags = u->regs.rflags,
		.rsp = u->regs.rsp,
		.ss = u->ss,
	};
	result = out;
	memset(out, 0, sizeof(*out));
	user_enter(&u->regs, &stack.frame);
}

void user_came_back(struct trap_frame *f)
{
	struct user_result *r = result;
	bool has_error = f->vector == 8 || (f->vector >= 10 && f->vector <= 14) || f->vector == 17;

	r->why = (unsigned int)f->vector;
	r->regs = f->regs;
	r->rcx = f->rcx;
	r->r11 = f->r11;
	r->error = f->error;
	r->rip = f->rip;
	r->cs = f->cs;
	r->rflags = f->rflags;
	r->rsp = f->rsp;
	r->ss = f->ss;
	/* Where the hypervisor's lowest word was: entry_plain moved rcx and r11 down by one. */
	r->frame = (uint64_t)entry_stack + sizeof(entry_stack) - (uint64_t)&f->rcx - (has_error ? 0 : 8);
	r->upcall_mask = vcpu_info0->evtchn_upcall_mask;
	user_leave();
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hypercall page of PV guests: entry n, 32 bytes, makes hypercall n. SYSCALL takes rcx and r11,
 * so that an entry saves them around it. iret's entry does not return: it leaves rcx, r11 and rax
 * on the stack, where HYPERVISOR_iret expects them above the iret frame. Page:
 * docs/abi/hypercalls.md.
 */
#include <lib.h>
#include <pv.h>
#include <xen/xen.h>

#define ENTRY_SIZE 32U
#define INSN_INT3 0xcc

static const u8 call_entry[] = {
	0x51,                /* push %rcx */
	0x41, 0x53,          /* push %r11 */
	0xb8, 0,    0, 0, 0, /* mov $number, %eax */
	0x0f, 0x05,          /* syscall */
	0x41, 0x5b,          /* pop %r11 */
	0x59,                /* pop %rcx */
	0xc3,                /* ret */
};
#define CALL_NUMBER_AT 4

static const u8 iret_entry[] = {
	0x51,       /* push %rcx */
	0x41, 0x53, /* push %r11 */
	0x50,       /* push %rax */
	0xb8, __HYPERVISOR_iret,
	0,    0,
	0,          /* mov $iret, %eax */
	0x0f, 0x05, /* syscall */
};

void pv_hypercall_page_fill(void *page)
{
	u8 *p = page;

	memset(p, INSN_INT3, PAGE_SIZE);
	for (unsigned int n = 0; n < PAGE_SIZE / ENTRY_SIZE; n++) {
		memcpy(p + n * ENTRY_SIZE, call_entry, sizeof(call_entry));
		p[n * ENTRY_SIZE + CALL_NUMBER_AT] = (u8)n;
	}
	memset(p + __HYPERVISOR_iret * ENTRY_SIZE, INSN_INT3, ENTRY_SIZE);
	memcpy(p + __HYPERVISOR_iret * ENTRY_SIZE, iret_entry, sizeof(iret_entry));
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hypercalls by the SYSCALL instruction. The hypervisor keeps every register but %rax, %rcx
 * and %r11 (docs/abi/hypercalls.md); cases that test exactly that use probe() instead.
 */
#ifndef GUEST_HYPERCALL_H
#define GUEST_HYPERCALL_H

#include <xen/xen.h>

static inline long hypercall5(unsigned long nr, unsigned long a1, unsigned long a2, unsigned long a3,
			      unsigned long a4, unsigned long a5)
{
	register unsigned long r10 __asm__("r10") = a4;
	register unsigned long r8 __asm__("r8") = a5;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10), "+r"(r8)
			 : "0"(nr)
			 : "rcx", "r11", "memory");
	return ret;
}

static inline long hypercall4(unsigned long nr, unsigned long a1, unsigned long a2, unsigned long a3,
			      unsigned long a4)
{
	register unsigned long r10 __asm__("r10") = a4;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10)
			 : "0"(nr)
			 : "rcx", "r11", "memory");
	return ret;
}

static inline long hypercall3(unsigned long nr, unsigned long a1, unsigned long a2, unsigned long a3)
{
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret), "+D"(a1), "+S"(a2), "+d"(a3)
			 : "0"(nr)
			 : "rcx", "r11", "memory");
	return ret;
}

static inline long hypercall2(unsigned long nr, unsigned long a1, unsigned long a2)
{
	return hypercall3(nr, a1, a2, 0);
}

static inline long hypercall1(unsigned long nr, unsigned long a1)
{
	return hypercall3(nr, a1, 0, 0);
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory by guest virtual address, in the running vCPU's address space. Every access may fault
 * and then returns short; none may touch hypervisor addresses. Handlers normally never need this: the
 * dispatcher copies arguments (hypercall.h).
 */
#ifndef SERAI_UACCESS_H
#define SERAI_UACCESS_H

#include <mm.h>

/* A range a guest may name: below the hypervisor or above it. The size is bounded by the gap that
 * follows, so that checking the start suffices for anything up to 512 GiB less than the whole. */
static inline bool guest_range_ok(u64 addr, size_t size)
{
	return (addr < HV_VIRT_START && size <= HV_VIRT_START - addr) ||
	       (addr >= HV_VIRT_END && size <= ~addr);
}
/* Return 0 or -EFAULT. */
int __must_check copy_from_guest_va(void *dst, u64 src, size_t n);
int __must_check copy_to_guest_va(u64 dst, const void *src, size_t n);
int __must_check clear_guest_va(u64 dst, size_t n);
/* Raw forms for code that already checked the range: return bytes NOT copied. */
size_t raw_copy_from_guest(void *dst, u64 src, size_t n);
size_t raw_copy_to_guest(u64 dst, const void *src, size_t n);
/* Hypervisor reads or writes of its own mappings that may fault (M2P holes, MSRs have their own). */
bool rdmsr_safe(u32 msr, u64 *val);
bool wrmsr_safe(u32 msr, u64 val);

#define copy_from_guest_h(dst, handle, n) copy_from_guest_va((dst), (u64)(handle).p, sizeof(*(dst)) * (n))
#define copy_to_guest_h(handle, src, n) copy_to_guest_va((u64)(handle).p, (src), sizeof(*(src)) * (n))
#define copy_to_guest_h_off(handle, off, src, n) \
	copy_to_guest_va((u64)((handle).p + (off)), (src), sizeof(*(src)) * (n))
#define copy_from_guest_h_off(dst, handle, off, n) \
	copy_from_guest_va((dst), (u64)((handle).p + (off)), sizeof(*(dst)) * (n))

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The interface version. These headers offer one version of the ABI, that of Xen 4.17;
 * a port that asks for an older one gets the current names, a newer one is refused.
 */
#ifndef __XEN_PUBLIC_XEN_COMPAT_H__
#define __XEN_PUBLIC_XEN_COMPAT_H__

#define __XEN_LATEST_INTERFACE_VERSION__ 0x00040e00

#ifndef __XEN_INTERFACE_VERSION__
#define __XEN_INTERFACE_VERSION__ __XEN_LATEST_INTERFACE_VERSION__
#endif

#if __XEN_INTERFACE_VERSION__ > __XEN_LATEST_INTERFACE_VERSION__
#error "the interface version asked for is newer than these headers"
#endif

/* Trailing array of unknown length; C++ has only the GNU spelling. */
#ifdef __cplusplus
#define XEN_FLEX_ARRAY_DIM 0
#else
#define XEN_FLEX_ARRAY_DIM
#endif
#define COMPAT_FLEX_ARRAY_DIM XEN_FLEX_ARRAY_DIM

/* Pins a layout beside its definition. */
#ifdef __cplusplus
#define XEN_ABI_ASSERT(cond) static_assert(cond, #cond)
#else
#define XEN_ABI_ASSERT(cond) _Static_assert(cond, #cond)
#endif
#define XEN_ABI_SIZE(type, size) XEN_ABI_ASSERT(sizeof(type) == (size))
#define XEN_ABI_OFFSET(type, member, off) XEN_ABI_ASSERT(__builtin_offsetof(type, member) == (off))

#endif /* __XEN_PUBLIC_XEN_COMPAT_H__ */

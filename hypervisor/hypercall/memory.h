/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of memory_op. */
#ifndef SERAI_HYPERCALL_MEMORY_H
#define SERAI_HYPERCALL_MEMORY_H

#include <hypercall.h>
#include <uaccess.h>
#include <xen/memory.h>

/* The low bits of the command are the operation, the rest is the extent a restarted call goes on with. */
#define MEMOP_EXTENT_SHIFT 6
#define MEMOP_CMD_MASK ((1UL << MEMOP_EXTENT_SHIFT) - 1)

/* The domain a call names, referenced, if the caller may act on it. NULL: *err. */
struct domain *memory_domain(domid_t id, int *err);

long memory_reservation(unsigned int op, u64 start, u64 arg);
long memory_exchange(u64 arg);
long memory_acquire_resource(u64 arg);
long memory_claim(u64 arg);

#endif

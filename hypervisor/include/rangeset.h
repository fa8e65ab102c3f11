/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sets of number ranges: the I/O ports, machine frames and interrupts a domain may use. Sorted, disjoint, not
 * adjacent; NULL is the empty set. Changes need the domain paused (its vCPUs read without a lock) and
 * one writer at a time (the control operations' lock).
 */
#ifndef SERAI_RANGESET_H
#define SERAI_RANGESET_H

#include <types.h>

struct iorange {
	u64 first, last; /* inclusive */
};
struct iorange_list {
	u32 nr;
	struct iorange r[];
};

int __must_check iorange_add(struct iorange_list **l, u64 first, u64 last);    /* 0, -ENOMEM */
int __must_check iorange_remove(struct iorange_list **l, u64 first, u64 last); /* 0, -ENOMEM */
bool iorange_contains(const struct iorange_list *l, u64 first, u64 last);      /* all of it */
void iorange_destroy(struct iorange_list **l);

#endif

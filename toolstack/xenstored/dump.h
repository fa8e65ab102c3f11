/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The store as records of a snapshot, and back. Transactions survive without their snapshot:
 * doomed. */
#ifndef XENSTORED_DUMP_H
#define XENSTORED_DUMP_H

#include "journal.h"
#include "store.h"

/* Append the whole store. */
int dump_write(const struct store *s, struct journal *j);
/* The snapshot is what counts from now on: open transactions are as those that are read back. */
void dump_taken(struct store *s);
/* Take over one record of a snapshot; -EINVAL when it makes no sense. */
int dump_read(struct store *s, const struct record *r);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hostile kernel's parts: what a vCPU does wrong next, from a sequence of its own. */
#ifndef GUEST_HOSTILE_H
#define GUEST_HOSTILE_H

#include "guest.h"

#define SCRATCH_WORDS 1024

struct rough {
	uint64_t state; /* of the sequence */
	unsigned long done, ok;
	unsigned int id;
	uint64_t scratch[SCRATCH_WORDS] __page_aligned; /* arguments */
	uint64_t behind[SCRATCH_WORDS];                 /* what is written past the end of one */
};

static inline uint64_t rnd(struct rough *me)
{
	me->state ^= me->state << 13;
	me->state ^= me->state >> 7;
	me->state ^= me->state << 17;
	return me->state;
}

static inline void count(struct rough *me, long rc)
{
	me->done++;
	if (rc >= 0)
		me->ok++;
}

/* tables.c */
extern volatile char window[PAGE_SIZE];
bool tables_begin(void);
void tables_clean_up(struct rough *me);
long tables_restore_window(void);
unsigned long pool_frame(struct rough *me); /* one this kernel does not stand on */
unsigned long random_frame(struct rough *me);
uint64_t random_entry(struct rough *me);
void random_table_operation(struct rough *me);

/* calls.c */
uint64_t random_word(struct rough *me);
void random_call(struct rough *me);

/* insns.c: exceptions of what these execute are stepped over, between begin and end. */
void insns_begin(void);
void insns_end(void);
void insn_write(struct rough *me, volatile void *at, uint64_t value);
void random_instruction(struct rough *me);

#endif

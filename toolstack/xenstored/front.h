/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory between the keeper, which holds the sockets, and the worker, which holds the store. A
 * socket has a slot with two byte rings, as a domain has in its page, and so the worker may end at
 *any point and find the streams where they were.
 *
 *	client ══ socket ══ keeper ══ slot.in ══► worker
 *	                           ◄══ slot.out ══
 *
 *	        accept              end of file            worker is done
 *	FREE ───────────► OPEN ───────────────► HUNG_UP ─────────────────► DONE ──► FREE (by the
 *keeper) └───────────── worker cuts it off ────────────────┘
 */
#ifndef XENSTORED_FRONT_H
#define XENSTORED_FRONT_H

#include "ring.h"

#include <stdbool.h>

#define SLOTS 1024u
#define SLOT_IN 4096u
#define SLOT_OUT 16384u

enum slot_state { SLOT_FREE, SLOT_OPEN, SLOT_HUNG_UP, SLOT_DONE };

struct slot {
	uint32_t state;
	uint32_t id; /* of the connection, never used twice */
	int32_t fd;  /* the keeper's */
	uint32_t in_cons, in_prod, out_cons, out_prod;
	uint32_t want_in;  /* the keeper waits for room in `in` */
	uint32_t want_out; /* the worker waits for room in `out` */
	char in[SLOT_IN], out[SLOT_OUT];
};

struct front {
	uint32_t next_id;  /* 0: no worker has been ready yet, nobody is let in */
	char update[256];  /* the program to become, empty: the same */
	uint32_t ready;    /* the worker has the store and serves it */
	uint32_t restarts; /* workers that have ended unasked */
	uint32_t high;     /* slots from here on were never used */
	struct slot slot[SLOTS];
	/* Which slots have news for the one and for the other, a bit each. Behind all that older programs know. */
	uint64_t for_worker[SLOTS / 64], for_keeper[SLOTS / 64];
};

/* To be called when the news are in the slot, and before the other is woken. */
static inline void news_put(uint64_t *news, uint32_t i)
{
	__atomic_fetch_or(&news[i / 64], 1ull << i % 64, __ATOMIC_SEQ_CST);
}

/*
 * The next slot from *from on that has news, which are taken; *from is behind it then, so that a look over all
 * ends even if a slot has news again before the look is over: those are for the next one. -1: none has.
 */
static inline int news_take(uint64_t *news, uint32_t *from)
{
	for (uint32_t i = *from; i < SLOTS; i = (i / 64 + 1) * 64) {
		uint64_t left = __atomic_load_n(&news[i / 64], __ATOMIC_SEQ_CST) >> i % 64;

		if (!left)
			continue;
		i += __builtin_ctzll(left);
		__atomic_fetch_and(&news[i / 64], ~(1ull << i % 64), __ATOMIC_SEQ_CST);
		*from = i + 1;
		return (int)i;
	}
	*from = SLOTS;
	return -1;
}

/* The keeper: there is no client any more. False: the worker is done with it already. */
static inline bool slot_hang_up(struct slot *s)
{
	uint32_t open = SLOT_OPEN;

	return __atomic_compare_exchange_n(&s->state, &open, SLOT_HUNG_UP, false, __ATOMIC_RELEASE,
					   __ATOMIC_RELAXED);
}

static inline void slot_ring(struct slot *s, struct ring *r)
{
	*r = (struct ring){.in = s->in,
			   .out = s->out,
			   .in_size = SLOT_IN,
			   .out_size = SLOT_OUT,
			   .in_cons = &s->in_cons,
			   .in_prod = &s->in_prod,
			   .out_cons = &s->out_cons,
			   .out_prod = &s->out_prod};
}

/* Exit statuses of the worker that are no accident. */
#define WORKER_STOP 0
#define WORKER_REFUSED 64 /* it could not start, and would not another time */
#define WORKER_UPDATE 65  /* the programs are to be replaced by their files */

#endif

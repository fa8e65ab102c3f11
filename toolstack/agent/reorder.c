/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reorder.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

void lane_header_put(uint8_t *to, const struct lane_frame *f)
{
	for (unsigned int i = 0; i < 8; i++)
		to[i] = f->number >> (56 - 8 * i);
	for (unsigned int i = 0; i < 4; i++)
		to[8 + i] = f->len >> (24 - 8 * i);
}

void lane_header_get(const uint8_t *from, struct lane_frame *f)
{
	*f = (struct lane_frame){0};
	for (unsigned int i = 0; i < 8; i++)
		f->number = f->number << 8 | from[i];
	for (unsigned int i = 0; i < 4; i++)
		f->len = f->len << 8 | from[8 + i];
}

void reorder_init(struct reorder *r, unsigned int window)
{
	assert(window && window <= REORDER_MAX);
	memset(r, 0, sizeof(*r));
	r->window = window;
	r->total = UINT64_MAX;
}

/* How many frames there are: no fewer than are known of, and the same as the other lanes say. */
static int end_at(struct reorder *r, uint64_t total)
{
	if (total == UINT64_MAX || (r->total != UINT64_MAX && total != r->total) || total < r->next)
		return -EPROTO;
	/* What is in a place beyond it has come, or is coming. */
	for (uint64_t n = total; n - r->next < r->window; n++)
		if (r->place[n % r->window].state != REORDER_EMPTY)
			return -EPROTO;
	r->total = total;
	return 1;
}

int reorder_claim(struct reorder *r, const struct lane_frame *f)
{
	unsigned int place = f->number % r->window;

	if (!f->len)
		return end_at(r, f->number);
	if (f->len > LANE_FRAME || f->number < r->next || f->number >= r->total)
		return -EPROTO;
	if (f->number - r->next >= r->window)
		return -EAGAIN;
	if (r->place[place].state != REORDER_EMPTY)
		return -EPROTO;
	r->place[place].state = REORDER_FILLING;
	r->place[place].len = f->len;
	return 0;
}

void reorder_filled(struct reorder *r, uint64_t number)
{
	assert(r->place[number % r->window].state == REORDER_FILLING);
	r->place[number % r->window].state = REORDER_FULL;
}

bool reorder_ready(const struct reorder *r, unsigned int *place, uint32_t *len)
{
	*place = r->next % r->window;
	*len = r->place[*place].len;
	return r->place[*place].state == REORDER_FULL;
}

void reorder_advance(struct reorder *r)
{
	assert(r->place[r->next % r->window].state == REORDER_FULL);
	r->place[r->next % r->window].state = REORDER_EMPTY;
	r->next++;
}

bool reorder_over(const struct reorder *r)
{
	return r->next == r->total;
}

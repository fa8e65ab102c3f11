/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer: frames of a stream that comes over several connections, in any order and with any number. Each
 * step is a byte that says how, and a header: as it comes, or near the frame that is next, or none, when
 * what has been claimed is filled.
 */
#include "toolstack/agent/reorder.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HOW_FILL = 1, HOW_NEAR = 2, HOW_ALL = 4 };

/* What has been claimed, by place, beside what `reorder` says of it. */
static struct {
	struct lane_frame f;
	enum reorder_state state;
} ring[REORDER_MAX];

static uint64_t next, total;
static unsigned int window;

static void must(bool good)
{
	if (!good)
		abort();
}

static void claim(struct reorder *r, const struct lane_frame *f)
{
	unsigned int place = f->number % window;
	bool free = f->number >= next && f->number - next < window && ring[place].state == REORDER_EMPTY;
	int rc = reorder_claim(r, f);

	switch (rc) {
	case 0:
		must(f->len && f->len <= LANE_FRAME && free && f->number < total);
		ring[place].f = *f;
		ring[place].state = REORDER_FILLING;
		break;
	case 1:
		must(!f->len && f->number >= next && (total == UINT64_MAX || total == f->number));
		total = f->number;
		for (unsigned int i = 0; i < window; i++)
			must(ring[i].state == REORDER_EMPTY || ring[i].f.number < total);
		break;
	case -EAGAIN:
		must(f->len && f->number > next && f->number - next >= window && f->number < total);
		break;
	default:
		must(rc == -EPROTO);
		must(!f->len || f->len > LANE_FRAME || f->number >= total || !free);
	}
}

static void fill(struct reorder *r, unsigned int from, bool all)
{
	unsigned int place;
	uint32_t len;

	for (unsigned int i = 0; i < window; i++) {
		place = (from + i) % window;
		if (ring[place].state != REORDER_FILLING)
			continue;
		reorder_filled(r, ring[place].f.number);
		ring[place].state = REORDER_FULL;
		if (!all)
			break;
	}
	while (reorder_ready(r, &place, &len)) {
		must(ring[place].state == REORDER_FULL && ring[place].f.number == next &&
		     ring[place].f.len == len);
		ring[place].state = REORDER_EMPTY;
		reorder_advance(r);
		next++;
	}
	must(ring[next % window].state != REORDER_FULL);
	must(reorder_over(r) == (next == total));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reorder r;
	struct lane_frame f;

	if (!size)
		return 0;
	memset(ring, 0, sizeof(ring));
	window = 1 + *data % REORDER_MAX;
	next = 0;
	total = UINT64_MAX;
	reorder_init(&r, window);
	for (data++, size--; size;) {
		uint8_t how = *data++;

		size--;
		if (how & HOW_FILL) {
			fill(&r, how >> 3, how & HOW_ALL);
		} else if (how & HOW_NEAR && size >= 2) {
			f = (struct lane_frame){next + data[0] % (2 * window + 2) - 1, data[1]};
			claim(&r, &f);
			data += 2;
			size -= 2;
		} else if (size >= LANE_HEADER) {
			uint8_t again[LANE_HEADER];

			lane_header_get(data, &f);
			lane_header_put(again, &f);
			must(!memcmp(again, data, sizeof(again)));
			claim(&r, &f);
			data += LANE_HEADER;
			size -= LANE_HEADER;
		} else {
			break;
		}
	}
	return 0;
}

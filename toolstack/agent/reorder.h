/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Several connections, one stream: which frame goes where. Each connection (a lane) carries frames
 *
 *      | number, 8 bytes | length, 4 bytes | data |      most significant byte first
 *
 * numbered from 0 in the order of the stream, over all lanes. The numbers of one lane only rise. A frame
 * of length 0 is the last of its lane, and its number is how many frames the whole stream has: every lane
 * says it, so that one that was cut is never taken for one that is done.
 *
 * Frames wait for their turn in a ring of as many places as the window is wide:
 *
 *      next                          next + window
 *       |  2   |  3   |  4   |  5   |  6 ...
 *       EMPTY   FULL   FILLING FULL   not yet: whoever brings it waits, and so does its lane
 *
 * The frame that is next is at the head of its lane, and there is always room for it, so no lane waits
 * for ever. No locks and no I/O in here: gather.c has them.
 */
#ifndef SERAI_REORDER_H
#define SERAI_REORDER_H

#include <stdbool.h>
#include <stdint.h>

#define LANES_MAX 16u
#define LANE_HEADER 12u
/* With its header it fills a whole number of TLS records. */
#define LANE_FRAME (256u * 1024 - LANE_HEADER)
/* Frames that may wait, for each lane: one that is being received, one that is whole. */
#define LANE_WINDOW 2u
#define REORDER_MAX (LANES_MAX * LANE_WINDOW)

struct lane_frame {
	uint64_t number;
	uint32_t len; /* 0: the lane's end */
};

enum reorder_state { REORDER_EMPTY, REORDER_FILLING, REORDER_FULL };

struct reorder {
	unsigned int window;
	uint64_t next;  /* the first that was not delivered */
	uint64_t total; /* UINT64_MAX: not known yet */
	struct {
		enum reorder_state state;
		uint32_t len;
	} place[REORDER_MAX];
};

void lane_header_put(uint8_t *to, const struct lane_frame *f);
void lane_header_get(const uint8_t *from, struct lane_frame *f);

void reorder_init(struct reorder *r, unsigned int window);
/*
 * A frame is about to come. Its data belongs into place number % window. 0: there; 1: the end of a lane;
 * -EAGAIN: its place is not free yet; -EPROTO: it cannot be: too long, come before, beyond the end, or
 * an end that is not where another was.
 */
int reorder_claim(struct reorder *r, const struct lane_frame *f);
/* All of its data is in its place. */
void reorder_filled(struct reorder *r, uint64_t number);
/* Whether the next of the stream is there; then its place and length. */
bool reorder_ready(const struct reorder *r, unsigned int *place, uint32_t *len);
/* The one that was ready has been delivered. */
void reorder_advance(struct reorder *r);
/* All of the stream has been delivered. */
bool reorder_over(const struct reorder *r);

#endif

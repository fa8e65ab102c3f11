/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The connections of one call that carry its input together: a bundle of lanes.
 *
 *      GET /v1/run, Serai-Connections: 3      -->   the call; answers, errors and status come back here
 *              101, Serai-Bundle: TOKEN       <--
 *      GET /v1/lane, Serai-Bundle: TOKEN,     -->   three times, with the same certificate:
 *                    Serai-Lane: 0, 1, 2            the frames of reorder.h
 *
 * One that is lost ends them all, and the call with them, as if its only connection had been cut.
 */
#ifndef SERAI_AGENT_BUNDLE_H
#define SERAI_AGENT_BUNDLE_H

#include "agent.h"
#include "tls.h"

#define BUNDLE_CONNECTIONS "Serai-Connections"
#define BUNDLE_TOKEN "Serai-Bundle"
#define BUNDLE_LANE "Serai-Lane"

struct bundle;

/* A decimal number of at most two digits and not above max. */
bool count_parse(const char *t, unsigned int max, unsigned int *n);

/* Lanes may come from now on, for that long, if they show that session's certificate. */
int bundle_new(gnutls_session_t s, unsigned int lanes, unsigned int seconds, struct bundle **out);
const char *bundle_token(const struct bundle *b);
/* The command is there: `to` is its input, given away; the call's own connection is `fd`. */
void bundle_start(struct bundle *b, int fd, int to);
/*
 * The call is over: no lane is in it any more, and the command's input is closed, when this returns.
 * Negative: why the first of them was lost, and its number; 0: none was.
 */
int bundle_stop(struct bundle *b, unsigned int *lane);
/* The call lets go of it. NULL: nothing. */
void bundle_free(struct bundle *b);

#endif

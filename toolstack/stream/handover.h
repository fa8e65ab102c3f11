/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who owns a moving domain. Each move has a token, and the receiving host one file for it, which
 * says what was decided there. The file is changed under its lock and only ever like this:
 *
 *   (none) -> waiting -> running     "go" arrived: the domain runs on the receiving host
 *       \         \----> aborted     the sender or the receiver gave up: it does not, and will not
 *        \-------------> aborted     asked about before it arrived: it may not arrive any more
 *
 * So a sender that lost its connection after "go" has only to ask: the answer is final, whichever
 * of "go", the question, and the receiver's own giving-up came first. The files outlive crashes of
 * either command; they are small, and those older than a month are removed.
 */
#ifndef SERAI_HANDOVER_H
#define SERAI_HANDOVER_H

#include "../lib/serai.h"

#define MOVE_TOKEN_LEN 32

enum decision { MOVE_WAITING, MOVE_RUNNING, MOVE_ABORTED };

void move_token(char token[MOVE_TOKEN_LEN + 1]);
bool move_token_valid(const char *token);
/* The receiver, before it accepts. -EEXIST: the token is used, or the move was given up already. */
int move_begin(struct serai *s, const char *token);
/* Make waiting (or nothing) into want; *now is what holds, which may be something else. */
int move_decide(struct serai *s, const char *token, enum decision want, enum decision *now);
/* Both sides know: nobody will ask again. */
void move_forget(const char *token);
const char *decision_name(enum decision d);

#endif

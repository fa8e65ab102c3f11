/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A store without a daemon: clients that ask in one line, and a world that agrees to everything. */
#ifndef TEST_XENSTORED_HARNESS_H
#define TEST_XENSTORED_HARNESS_H

#include <errno.h>
#include "feed.h"

struct fixture {
	unsigned int logged; /* lines of the log */
	char last_log[512];
	unsigned int released;
	bool refuse_introduce;
};
extern const struct world fake_world;

/*
 * Sends one request; `payload` is written with '|' for NUL. The answer, in the same form, lies in a
 * static buffer: "ENOENT" for an error, the payload otherwise. Events that came meanwhile are kept
 * for events_of(), as "path|token|" lines.
 */
const char *ask(struct store *s, struct conn *c, uint32_t type, uint32_t tx, const char *payload);
const char *events_of(struct store *s, struct conn *c);
/* A request as bytes of the wire; how many. */
size_t wire(char *buf, uint32_t type, uint32_t tx, const char *payload);
/* Starts a transaction. */
uint32_t start(struct store *s, struct conn *c);
struct conn *socket_conn(struct store *s, unsigned int n);
/* Introduces a domain. */
struct conn *domain_conn(struct store *s, uint16_t domid);

#endif

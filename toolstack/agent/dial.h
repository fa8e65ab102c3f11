/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A connection to a seraid, by libcurl, and its upgrade from HTTP to frames. One thread at a time uses a
 * client; what goes wrong is said on standard error, with its way out.
 */
#ifndef SERAI_DIAL_H
#define SERAI_DIAL_H

#include "relay.h"

#include <curl/curl.h>
#include <stdio.h>

struct client {
	const char *dir, *host; /* where the certificate is; whom to talk to */
	int stop;               /* once it is readable, nothing is waited for any more; -1: there is none */
	CURL *curl;
	CURLU *url;
	char error[CURL_ERROR_SIZE];
};

/* The head of an answer, and what came behind it. */
struct answer {
	char text[8192];
	size_t head, have;
};

/* 1, for an exit status. */
int client_fail(const struct client *c, const char *why);
/* 0: connected, and `l` is its link. 1: it failed, and was said. */
int client_dial(struct client *c, struct relay_link *l);
/*
 * Asks for `path`, whose connection becomes frames of that protocol; `headers`: further lines of the
 * request, each with its end. 0: they follow; 1: refused, and said.
 */
int client_upgrade(struct client *c, const struct relay_link *l, const char *path, const char *protocol,
		   const char *headers, struct answer *a);
/* A line of the answer's head, malloc()ed; NULL: there is none. */
char *answer_header(const struct answer *a, const char *key);
void client_close(struct client *c);

#endif

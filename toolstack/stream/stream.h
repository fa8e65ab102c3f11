/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saving, restoring and moving domains.
 */
#ifndef SERAI_STREAM_H
#define SERAI_STREAM_H

#include "../lib/serai.h"

struct save_stats {
	unsigned int rounds;
	uint64_t pages, bytes;
	double total_s, downtime_s;
	bool live;
};

struct save_options {
	bool live;            /* pre-copy with log-dirty where the hypervisor has it */
	bool live_only;       /* fail where it has not */
	unsigned int downtime_ms; /* stop when the rest fits */
	unsigned int max_rounds;
	void (*progress)(const char *what, uint64_t done, uint64_t total);
};

/* Write the file header and configuration. */
int save_header(struct serai *s, const struct domain_config *c, int fd);
/*
 * Container and stream of a domain. Suspends it on the way; when this returns, with 0 or an error, the
 * domain is suspended or (error before the suspension) running: see *suspended.
 */
int save_domain(struct serai *s, domid_t dom, int fd, const struct save_options *o, struct save_stats *st,
                bool *suspended);
/* Let a suspended domain run on here, as if nothing had happened. */
int save_resume(struct serai *s, domid_t dom);

struct restore {
	struct serai *s;
	int fd;
	void (*progress)(const char *what, uint64_t done, uint64_t total);
	char error[512];
};
/* create_options.build for a container read from `arg`'s fd (struct restore). */
int restore_build(struct serai *s, domid_t dom, struct domain_config *c, struct domain_ports *p, void *arg);
/* The header of a file: its configuration. The fd is left at the container. */
int restore_header(struct serai *s, int fd, struct domain_config *c);

#endif

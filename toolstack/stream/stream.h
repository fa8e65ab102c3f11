/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saving, restoring and moving domains.
 */
#ifndef SERAI_STREAM_H
#define SERAI_STREAM_H

#include "../lib/serai.h"

struct sink;

struct save_stats {
	unsigned int rounds;
	uint64_t pages, bytes; /* sent, and what they came to on the wire */
	uint64_t zero_pages;   /* of those, sent as a mark */
	double stopped_at;     /* when the domain was asked to suspend (stream_now) */
	double total_s, downtime_s;
	bool live;
};

struct save_options {
	bool live;                /* pre-copy with log-dirty where the hypervisor has it */
	bool live_only;           /* fail where it has not */
	unsigned int downtime_ms; /* stop when the rest fits */
	bool downtime_strict;     /* fail, and resume the domain, rather than stop it for longer */
	unsigned int timeout_s;   /* fail when the rest does not fit after so long; 0: no limit */
	unsigned int max_rounds;
	bool compress;      /* zstd */
	uint64_t bandwidth; /* bytes a second; 0: no limit */
	void (*progress)(const char *what, uint64_t done, uint64_t total);
	void (*suspending)(void *arg,
			   domid_t dom); /* called before the guest is asked to suspend; may be NULL */
	void *suspending_arg;
	/*
	 * What else goes along (disks); both may be NULL. After each round of pages: another of theirs, and how long
	 * the rest of it would take. And when the guest has stopped: the rest.
	 */
	int (*round)(struct serai *s, void *arg, double *rest_ms);
	int (*stopped)(struct serai *s, void *arg);
	void *along_arg;
};

/* Seconds of a clock that only goes forward. */
double stream_now(void);
/*
 * How long, with a strict budget, a stopped domain's copy may still take before it is resumed instead: what is left
 * of three quarters, for the last one is the hand-over's. INT_MAX without one.
 */
int save_left_ms(const struct save_options *o, const struct save_stats *st);
/* Write the file header and configuration. */
int save_header(struct serai *s, const struct domain_config *c, int fd);
/*
 * Container and stream of a domain. Suspends it on the way; when this returns, with 0 or an error, the
 * domain is suspended or (error before the suspension) running: see *suspended.
 */
int save_domain(struct serai *s, domid_t dom, int fd, const struct save_options *o, struct save_stats *st,
		bool *suspended);
/*
 * Whatever state an interrupted save left the domain in, it runs on here: tracking of writes is turned off; when
 * the guest was `asked` to suspend, that is withdrawn, or waited for and undone.
 */
int save_abandon(struct serai *s, domid_t dom, bool asked);
/* Let a suspended domain run on here, as if nothing had happened. */
int save_resume(struct serai *s, domid_t dom);

struct restore {
	struct serai *s;
	int fd;
	bool compressed; /* what follows the header is zstd */
	void (*progress)(const char *what, uint64_t done, uint64_t total);
};
/* -EOPNOTSUPP, and their names in s->error, when this host lacks features of a saved CPU policy. */
int restore_check_policy(struct serai *s, const struct xc_policy *p);
/* create_options.build for a container read from `arg`'s fd (struct restore). */
int restore_build(struct serai *s, domid_t dom, struct domain_config *c, struct domain_ports *p, void *arg);
/* The header of a file: its configuration. The fd is left at the container. */
int restore_header(struct serai *s, int fd, struct domain_config *c);

#endif

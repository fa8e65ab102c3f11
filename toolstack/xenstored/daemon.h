/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon around the store: two processes, their options and their log. */
#ifndef XENSTORED_DAEMON_H
#define XENSTORED_DAEMON_H

#include "feed.h"
#include "front.h"

#include <stdbool.h>

struct options {
	const char *rundir;   /* of socket and state */
	const char *pid_file; /* NULL: none */
	const char *log_file; /* NULL: syslog */
	bool foreground, trace, no_domains, fresh;
	unsigned int quota[QUOTA_COUNT];
	bool quota_given[QUOTA_COUNT];
	int ready_fd; /* written to when the daemon serves; -1: nobody waits */
	char **argv;  /* to become the same program again */
};

/* What the keeper gives to workers and to its successor. */
struct handles {
	int memory; /* struct front */
	int listener;
	int to_worker; /* eventfd */
	int to_keeper; /* eventfd */
	int alive;     /* a pipe that ends with the keeper */
};

/* `inherited` NULL: a new start. alive_end is the other end of the pipe. */
int keeper_run(const struct options *o, const struct handles *inherited, int alive_end);
int worker_run(const struct options *o, struct front *front, const struct handles *h);
/* Everything but the identity: no capability, none to be had by exec. */
int drop_privileges(void);

/* -------- log (log.c) -------- */
void log_start(const struct options *o);
int log_file_set(const char *path);
void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* -------- domains (guests.c) -------- */
struct guests;
/* 0, or what keeps domains from being served. */
int guests_open(struct guests **out, struct feed *f);
void guests_close(struct guests *g);
int guests_fd(const struct guests *g);
/* After a start: connect what the store knows of, and the control domain's kernel. */
void guests_attach(struct guests *g);
/* The event-channel device has something; the device stays readable while there is more. */
void guests_events(struct guests *g);
/* Move the connection's bytes, as far as they go. */
void guests_serve(struct guests *g, struct conn *c);
bool guests_exists(struct guests *g, uint16_t domid);
int guests_introduce(struct guests *g, uint16_t domid, uint64_t gfn, uint32_t port, struct ring_start *start);
int guests_rebind(struct guests *g, uint16_t domid, uint32_t port);
void guests_release(struct guests *g, uint16_t domid);

/* -------- one connection's streams (serve.c) -------- */
/*
 * Takes requests while the client reads its answers, gives what it has room for; true when
 * something moved. The caller then tells the other side.
 */
bool serve(struct feed *f, struct conn *c, struct ring *r);
/* After a restart: what of the output is in the ring already? */
void serve_recover(struct feed *f, struct conn *c, struct ring *r);

#endif

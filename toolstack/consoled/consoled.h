/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * consoled's own structures: the daemon, a guest, a viewer, and who calls whom.
 *
 *   xenstore --domains.c--> guest.c <--event channel-- guest's console page
 *                             |  \--> log.c       what was said, on disk
 *                             v
 *                           fan.c --> viewer.c    a pty for xl's clients, sockets for serai's
 *                           inq  <--
 *
 * One thread and one epoll set. A `struct source` is the first member of whatever owns a
 * descriptor; sources may be destroyed by the callback of any other, which is safe because one
 * event is fetched at a time.
 */
#ifndef SERAI_CONSOLED_H
#define SERAI_CONSOLED_H

#include "fan.h"
#include "log.h"
#include "rate.h"
#include "ring.h"
#include "serai/xc.h"
#include "../lib/store.h"

#include <stdbool.h>
#include <stdint.h>

#define CONSOLED_RUN_DIR "/run/serai"
#define CONSOLED_SOCKET_DIR CONSOLED_RUN_DIR "/console"
#define CONSOLED_LOG_DIR "/var/log/serai/console"
#define CONSOLED_GROUP "serai"

struct daemon;

struct source {
	int fd;
	uint32_t events; /* what epoll was told; 0: not in the set */
	void (*ready)(struct daemon *d, struct source *s, uint32_t events);
};

struct guest;

struct viewer {
	struct source src;
	struct viewer *next;
	struct guest *guest;
	uint64_t pos; /* in the guest's stream */
	bool blocked; /* the other side takes no more for now */
	bool eof;     /* the other side writes no more */
	bool pty;     /* the guest's terminal: stays while the guest does */
};

struct guest {
	struct source listen; /* the viewers' socket */
	struct guest *next;
	domid_t dom;
	char name[128];

	struct xencons_interface *ring;
	bool granted;               /* mapped by grant, not as a foreign frame */
	long ring_ref, remote_port; /* what the nodes said when it was mapped; -1: not connected */
	evtchn_port_t port;
	bool broken; /* its indices made no sense: not looked at again */

	struct rate rate;
	bool more; /* its port is masked; it is served again at guest_ready_at() */
	uint64_t served_ns, warned_ns;

	struct fan out;
	struct logfile log;
	bool log_failed;
	char in[1024]; /* typed, not yet in the ring */
	size_t in_len;

	struct viewer *viewers;
	int pty_slave; /* kept open: without it the master would only say "hung up" */
};

struct options {
	bool log_guests, log_hv, stamp_guests, stamp_hv;
	const char *log_dir;
	uint64_t log_limit;
	unsigned int log_keep;
	uint64_t rate, burst; /* bytes */
	size_t history;
	const char *pid_file;
	bool foreground, verbose;
};

struct daemon {
	struct options o;
	struct xc *xc;
	struct xc_event *event;
	struct xc_grant *grant; /* NULL: no gntdev */
	struct store *store;    /* NULL: xenstored is away, store_retry_ns says when to try again */
	uint64_t store_retry_ns;
	int epoll;
	struct source event_src, store_src, signal_src;
	struct guest *guests;
	struct guest **by_port;
	size_t nr_ports;
	struct log_policy policy;
	struct logfile hv_log;
	evtchn_port_t hv_port;
	bool hv_bound;
	uint32_t hv_index;
	gid_t group; /* (gid_t)-1: there is no such group */
	bool pid_written;
	bool stop;
};

/* loop.c */
uint64_t now_ns(void);
int64_t now_s(void);
/* Listen for `events` (EPOLLIN...); 0 takes the source out of the set. */
int source_arm(struct daemon *d, struct source *s, uint32_t events);
void source_close(struct daemon *d, struct source *s);
int daemon_loop(struct daemon *d);
void say(const struct daemon *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* domains.c: which guests there are, and what their nodes say */
int store_connect(struct daemon *d);
void store_lost(struct daemon *d);
void store_ready(struct daemon *d, struct source *s, uint32_t events);

/* guest.c */
struct guest *guest_add(struct daemon *d, domid_t dom, const char *name);
void guest_remove(struct daemon *d, struct guest *g);
struct guest *guest_find(const struct daemon *d, domid_t dom);
/* Map the ring and bind the port the nodes name; nothing happens when they did not change. */
int guest_connect(struct daemon *d, struct guest *g, long ring_ref, long port);
void guest_rename(struct daemon *d, struct guest *g, const char *name);
/* Take output, give input, pass it on. `woken`: its event channel asked for it. */
void guest_service(struct daemon *d, struct guest *g, bool woken);
/* When a guest that has `more` is to be served. */
uint64_t guest_ready_at(const struct guest *g);
/* Input from a viewer; how much was taken. */
size_t guest_type(struct daemon *d, struct guest *g, const char *p, size_t n);
void event_ready(struct daemon *d, struct source *s, uint32_t events);

/* viewer.c */
int viewer_listen(struct daemon *d, struct guest *g);
void viewer_link(struct daemon *d, struct guest *g, const char *old);
int viewer_pty(struct daemon *d, struct guest *g, char *name, size_t len);
void viewers_flush(struct daemon *d, struct guest *g);
void viewers_close(struct daemon *d, struct guest *g);
/* Remove what an earlier daemon left for domains that are no more. */
void viewer_tidy(struct daemon *d);

/* hvlog.c: the hypervisor's own console */
void hv_open(struct daemon *d);
void hv_service(struct daemon *d);

/* privilege.c */
void privilege_groups(struct daemon *d);
int privilege_drop(struct daemon *d);

/* options.c: 0 go on, 1 done (help was printed), negative: wrong */
int options_parse(struct options *o, int argc, char **argv);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * seraid: what its parts share. Set up before the server starts and only read afterwards; every
 * request has a thread of its own, and no two of them share anything else but a bundle (bundle.h).
 */
#ifndef SERAI_AGENT_H
#define SERAI_AGENT_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define AGENT_PORT 8443
#define RUN_UPGRADE "serai-run"
#define LANE_UPGRADE "serai-lane"

enum role { ROLE_READ = 1, ROLE_OPERATE = 2, ROLE_MIGRATE = 4 };

struct agent {
	const char *serai; /* the command */
	const char *roles; /* the file that says who may do what */
	unsigned int join; /* seconds in which the further connections of a call may come */
};

struct request {
	const struct agent *agent;
	struct MHD_Connection *connection;
	char peer[128];     /* common name of the client's certificate */
	unsigned int roles; /* what it may, when the request came */
	const char *method, *url;
	const struct route *route;
	struct call *pending; /* a verb that waits for its connection */
	struct lane *lane;    /* likewise a connection that belongs to a call */
};

/* One row of the API; all of them are asked for with GET. run answers the request. */
struct route {
	const char *path;
	enum role role; /* 0: run looks for itself */
	enum MHD_Result (*run)(struct request *q);
	const char *verb, *option, *type; /* of serai, and what its output is, for those that print */
	const char *upgrade;              /* what the connection is to become, for the others */
};

/* NULL: there is no such path. */
const struct route *route_find(const char *path);

/* The roles of that common name, or'ed; 0 when it has none or the file cannot be read. */
unsigned int roles_of(const char *file, const char *cn);
const char *role_name(enum role r);

/* Answers. All of them write a line to the log, but for what only looks. */
enum MHD_Result reply(struct request *q, unsigned int status, const char *type, const char *text, size_t len);
enum MHD_Result reply_error(struct request *q, unsigned int status, const char *error, const char *remedy,
			    const char *cause, ...) __attribute__((format(printf, 5, 6)));
enum MHD_Result reply_denied(struct request *q, enum role want);
/* One line, in which nothing of the text is more than a character. */
void log_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The MHD callbacks of a server whose clients all have a certificate. */
void on_connection(void *arg, struct MHD_Connection *c, void **ctx, enum MHD_ConnectionNotificationCode what);
enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *url, const char *method,
			   const char *version, const char *data, size_t *len, void **ctx);
void on_completed(void *arg, struct MHD_Connection *c, void **ctx, enum MHD_RequestTerminationCode why);

/* GET /v1/run: the connection becomes the terminal of a serai command (call.c). */
enum MHD_Result call_run(struct request *q);
void call_free(struct call *m);
void call_print_verbs(void);

/* GET /v1/lane: the connection carries part of what another call reads (bundle.c). */
enum MHD_Result lane_run(struct request *q);
void lane_free(struct lane *l);

#endif

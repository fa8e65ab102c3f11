/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The API: what a collector or a script looks at by plain HTTP, and the way in for the `serai` of
 * another host. docs/agent.openapi.yaml describes the same table to others.
 */
#include "agent.h"
#include "run.h"

#include <string.h>

/* The last line a command said: the failure; warnings come before it. */
static const char *last_words(char *t)
{
	size_t len = strlen(t);
	char *line;

	while (len && t[len - 1] == '\n')
		t[--len] = 0;
	line = strrchr(t, '\n');
	return line ? line + 1 : len ? t : "no cause was said";
}

static enum MHD_Result print_run(struct request *q)
{
	const char *const argv[] = {q->agent->serai, q->route->verb, q->route->option, NULL};
	enum MHD_Result rc;
	struct outcome o;
	int e = run_command(argv, &o);

	if (e < 0)
		return reply_error(q, MHD_HTTP_INTERNAL_SERVER_ERROR, "cannot-run",
				   "see whether serai is installed there", "%s: %s", q->agent->serai,
				   strerror(-e));
	if (o.status == 0)
		rc = reply(q, MHD_HTTP_OK, q->route->type, o.out, o.out_len);
	else if (o.status >= 128)
		rc = reply_error(q, MHD_HTTP_INTERNAL_SERVER_ERROR, "command-died",
				 "look at that host's journal", "serai %s was killed (status %d)",
				 q->route->verb, o.status);
	else
		rc = reply_error(q, MHD_HTTP_INTERNAL_SERVER_ERROR, "failed",
				 "the cause is the command's own; try it on that host", "%s",
				 last_words(o.err));
	outcome_free(&o);
	return rc;
}

#define JSON "application/json"
#define METRICS "application/openmetrics-text; version=1.0.0; charset=utf-8"

/* clang-format off */
static const struct route routes[] = {
	{"/v1/host",    ROLE_READ,    print_run, "info",    "--json", JSON,    NULL},
	{"/v1/domains", ROLE_READ,    print_run, "list",    "--json", JSON,    NULL},
	{"/v1/metrics", ROLE_READ,    print_run, "metrics", NULL,     METRICS, NULL},
	{"/v1/run",     0,            call_run,  NULL,      NULL,     NULL,    RUN_UPGRADE},
	{"/v1/lane",    ROLE_MIGRATE, lane_run,  NULL,      NULL,     NULL,    LANE_UPGRADE},
};
/* clang-format on */

const struct route *route_find(const char *path)
{
	for (unsigned int i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		if (!strcmp(routes[i].path, path))
			return &routes[i];
	return NULL;
}

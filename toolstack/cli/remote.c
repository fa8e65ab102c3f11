/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Other hosts, by way of their seraid. What speaks TLS is a program of its own (agent/client.c), so
 * that this one, which is root's, has no network code in it.
 */
#include "cli.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* What a seraid takes for one move. */
#define CONNECTIONS_MAX 16u

static const char *helper(void)
{
	const char *program = getenv("SERAI_TLS");

	return program && *program ? program : SERAI_LIBEXECDIR "/serai-tls";
}

int remote_run(const struct cli *cli, const char *host, const struct command *c, int argc, char **argv)
{
	const char **words = calloc(argc + cli->verbose + 6, sizeof(*words));
	unsigned int n = 0;

	if (!words)
		return 1;
	words[n++] = helper();
	words[n++] = host;
	for (int i = 0; i < cli->verbose; i++)
		words[n++] = "-v";
	if (cli->dry_run)
		words[n++] = "-N";
	if (cli->force)
		words[n++] = "-f";
	/* The whole word: the agent does not guess. */
	words[n++] = c->name;
	for (int i = 1; i < argc; i++)
		words[n++] = argv[i];
	execv(words[0], (char **)(uintptr_t)words);
	fprintf(stderr, "serai -H %s: %s: %s\n", host, words[0], strerror(errno));
	free(words);
	return 1;
}

bool remote_is(const char *host)
{
	return !strncmp(host, "https://", 8);
}

char *remote_command(struct serai *s, const char *host, unsigned int connections)
{
	char *command, option[32] = "";

	if (connections > 1)
		snprintf(option, sizeof(option), "--connections=%u ", connections);

	/* It goes to a shell. */
	if (host[strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:/[]")] ||
	    asprintf(&command, "exec '%s' %s'%s' migrate-receive", helper(), option, host) < 0) {
		serai_fail(s, -EINVAL,
			   "\"%s\" is not the address of a host (https://NAME or https://NAME:PORT)", host);
		return NULL;
	}
	return command;
}

int remote_connections(struct serai *s, const char *t, const char *host, unsigned int *n)
{
	char *end;

	*n = strtoul(t, &end, 10);
	if (*t < '0' || *t > '9' || *end || strlen(t) > 2 || !*n || *n > CONNECTIONS_MAX)
		return serai_fail(s, -EINVAL, "--connections=%s: a move has 1 to %u", t, CONNECTIONS_MAX);
	if (*n > 1 && !remote_is(host))
		return serai_fail(
			s, -EINVAL,
			"--connections=%u: ssh has one; a move to https://%s goes by its seraid, and may "
			"have more",
			*n, host);
	return 0;
}

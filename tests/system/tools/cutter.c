/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stands between the two ends of a move and does something bad at a chosen point.
 *
 *   cutter WHEN N ACTION COMMAND [ARGUMENT...]
 *
 *   sender == stdin ==> cutter ==> COMMAND        "up"
 *   sender <= stdout == cutter <== COMMAND        "down"
 *
 * WHEN N: "up N", "down N": exactly N bytes that way are let through, then it happens. "reply N": something
 * comes up after N bytes went down; it is not let through. ACTION: "cut" closes everything, another is a shell
 * command ($PEER is COMMAND's process, $SENDER the sender's), after which what was held back goes on.
 * A COMMAND with an argument --decide is let alone. The counts go to /tmp/cutter at the end.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct way {
	int from, to;
	unsigned long passed;
};

static const char *when, *action;
static unsigned long point;
static int done;

static void put(struct way *w, const char *p, size_t n)
{
	while (n) {
		ssize_t k = write(w->to, p, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return; /* the reader went away; the other way will end, too */
		w->passed += k;
		p += k;
		n -= k;
	}
}

static void finish(const struct way *up, const struct way *down)
{
	FILE *f = fopen("/tmp/cutter", "w");

	if (f) {
		fprintf(f, "%lu %lu %d\n", up->passed, down->passed, done);
		fclose(f);
	}
}

/* How much of n bytes may pass before the point; n when it is not in them. */
static size_t before(const struct way *w, const struct way *down, int is_up, size_t n)
{
	if (done)
		return n;
	if (!strcmp(when, "reply"))
		return is_up && down->passed >= point ? 0 : n;
	if (strcmp(when, is_up ? "up" : "down") || w->passed + n <= point)
		return n;
	return point - w->passed;
}

static int move(struct way *w, struct way *up, struct way *down)
{
	char buf[65536];
	ssize_t n = read(w->from, buf, sizeof(buf));
	size_t first;

	if (n < 0 && errno == EINTR)
		return 1;
	if (n <= 0) {
		close(w->to);
		close(w->from);
		w->from = -1;
		return 1;
	}
	first = before(w, down, w == up, n);
	put(w, buf, first);
	if (first == (size_t)n)
		return 1;
	done = 1;
	if (!strcmp(action, "cut"))
		return 0;
	if (system(action) == -1)
		perror(action);
	put(w, buf + first, n - first);
	return 1;
}

int main(int argc, char **argv)
{
	struct way up = {.from = STDIN_FILENO}, down = {.to = STDOUT_FILENO};
	int in[2], out[2];
	char pid[32];
	pid_t child;

	if (argc < 5 || pipe(in) < 0 || pipe(out) < 0)
		return 2;
	when = argv[1];
	point = strtoul(argv[2], NULL, 10);
	action = argv[3];
	for (int i = 5; i < argc; i++)
		if (!strncmp(argv[i], "--decide", 8))
			return execvp(argv[4], argv + 4);
	signal(SIGPIPE, SIG_IGN);
	snprintf(pid, sizeof(pid), "%d", (int)getppid());
	setenv("SENDER", pid, 1);
	child = fork();
	if (child == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		for (int i = 0; i < 2; i++) {
			close(in[i]);
			close(out[i]);
		}
		signal(SIGPIPE, SIG_DFL);
		execvp(argv[4], argv + 4);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	up.to = in[1];
	down.from = out[0];
	snprintf(pid, sizeof(pid), "%d", (int)child);
	setenv("PEER", pid, 1);
	while (down.from >= 0) {
		struct pollfd p[2] = {{.fd = up.from, .events = POLLIN}, {.fd = down.from, .events = POLLIN}};

		if (poll(p, 2, -1) < 0 && errno != EINTR)
			break;
		if ((p[0].revents && !move(&up, &up, &down)) || (p[1].revents && !move(&down, &up, &down)))
			break;
	}
	finish(&up, &down);
	return 0;
}

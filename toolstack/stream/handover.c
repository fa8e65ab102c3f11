/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "handover.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MOVES SERAI_DATA_DIR "/serai-moves"
#define KEEP_S (30 * 24 * 3600)

static const char *const names[] = {"waiting", "running", "aborted"};

const char *decision_name(enum decision d)
{
	return names[d];
}

void move_token(char token[MOVE_TOKEN_LEN + 1])
{
	uint8_t b[MOVE_TOKEN_LEN / 2];

	if (getrandom(b, sizeof(b), 0) != sizeof(b))
		abort(); /* sixteen bytes never come in part */
	for (unsigned int i = 0; i < sizeof(b); i++)
		snprintf(token + 2 * i, 3, "%02x", b[i]);
}

bool move_token_valid(const char *token)
{
	return strlen(token) == MOVE_TOKEN_LEN && strspn(token, "0123456789abcdef") == MOVE_TOKEN_LEN;
}

static void prune(void)
{
	DIR *d = opendir(MOVES);
	struct dirent *e;
	struct stat st;

	while (d && (e = readdir(d)))
		if (move_token_valid(e->d_name) && fstatat(dirfd(d), e->d_name, &st, 0) == 0 &&
		    st.st_mtime + KEEP_S < time(NULL))
			unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
}

static int failed(struct serai *s, const char *token)
{
	return serai_fail(s, -errno, MOVES "/%s: %s", token, strerror(errno));
}

/* The file of a token, locked. */
static int move_open(struct serai *s, const char *token, int flags)
{
	char path[sizeof(MOVES) + MOVE_TOKEN_LEN + 2];
	int fd;

	mkdir(SERAI_DATA_DIR, 0755);
	mkdir(MOVES, 0700);
	snprintf(path, sizeof(path), MOVES "/%s", token);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | flags, 0600);
	if (fd < 0)
		return failed(s, token);
	if (flock(fd, LOCK_EX) < 0) {
		failed(s, token);
		close(fd);
		return -EIO;
	}
	return fd;
}

/* An empty or torn file has decided nothing: its writer never got an answer out. */
static enum decision decision_read(int fd)
{
	char t[16] = "";
	ssize_t n = pread(fd, t, sizeof(t) - 1, 0);

	t[n > 0 ? n : 0] = 0;
	for (unsigned int i = 0; i < 3; i++)
		if (!strcmp(t, names[i]))
			return i;
	return MOVE_WAITING;
}

/* All names have one length, so a decision is overwritten in place. */
static int decision_write(struct serai *s, int fd, const char *token, enum decision d)
{
	size_t n = strlen(names[d]);

	if (pwrite(fd, names[d], n, 0) != (ssize_t)n)
		return failed(s, token);
	/* Who asks is told what the file says, whether it got to the disk or not: from here on that is the decision. */
	(void)fsync(fd);
	return 0;
}

int move_begin(struct serai *s, const char *token)
{
	int fd, rc;

	prune();
	fd = move_open(s, token, O_EXCL);
	if (fd == -EEXIST)
		return serai_fail(s, fd, "this move was given up, or has arrived already");
	if (fd < 0)
		return fd;
	/* A question may have come between the opening and the lock. */
	if (decision_read(fd) != MOVE_WAITING)
		rc = serai_fail(s, -EEXIST, "this move was given up");
	else
		rc = decision_write(s, fd, token, MOVE_WAITING);
	close(fd);
	return rc;
}

int move_decide(struct serai *s, const char *token, enum decision want, enum decision *now)
{
	int fd = move_open(s, token, 0), rc = 0;

	if (fd < 0)
		return fd;
	*now = decision_read(fd);
	if (*now == MOVE_WAITING && (rc = decision_write(s, fd, token, want)) == 0)
		*now = want;
	close(fd);
	return rc;
}

void move_forget(const char *token)
{
	char path[sizeof(MOVES) + MOVE_TOKEN_LEN + 2];

	snprintf(path, sizeof(path), MOVES "/%s", token);
	unlink(path);
}

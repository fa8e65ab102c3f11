/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A name has one keeper. /run/serai/NAME.lock is held (flock) by the monitor of the domain for as long as
 * the name is taken: across reboots, when for a moment no domain exists. The file says what is going on:
 * "STATE DOMID PID". The keeper removes it when it lets go; when it is killed the kernel drops the lock, and the
 * file says nothing any more.
 */
#include "serai.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int lock_open(const char *name, int flags)
{
	char path[320];

	snprintf(path, sizeof(path), SERAI_RUN_DIR "/%s.lock", name);
	mkdir(SERAI_RUN_DIR, 0755);
	return open(path, flags | O_CLOEXEC, 0644);
}

/* Whoever lets go of a name removes its file: is the one we have locked still the one of that name? */
static bool lock_current(const char *name, int fd)
{
	struct stat ours, there;
	char path[320];

	snprintf(path, sizeof(path), SERAI_RUN_DIR "/%s.lock", name);
	return fstat(fd, &ours) == 0 && stat(path, &there) == 0 && ours.st_ino == there.st_ino;
}

int name_lock(struct serai *s, const char *name, int *fd)
{
	char note[64] = "";
	ssize_t n;

	for (;;) {
		*fd = lock_open(name, O_RDWR | O_CREAT);
		if (*fd < 0)
			return serai_fail(s, -errno, "cannot open " SERAI_RUN_DIR "/%s.lock: %s", name,
					  strerror(errno));
		if (flock(*fd, LOCK_EX | LOCK_NB) < 0)
			break;
		if (lock_current(name, *fd))
			return 0;
		close(*fd);
	}
	n = read(*fd, note, sizeof(note) - 1);
	note[n > 0 ? n : 0] = 0;
	note[strcspn(note, " \n")] = 0;
	close(*fd);
	return serai_fail(s, -EBUSY, "\"%s\" is %s: its monitor holds the name", name,
			  note[0] ? note : "running");
}

void name_unlock(int fd)
{
	char self[40], path[320];
	ssize_t n;

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	n = readlink(self, path, sizeof(path) - 1);
	if (n > 0) {
		path[n] = 0;
		(void)unlink(path); /* while it is locked: nobody else believes to have it */
	}
	close(fd);
}

int name_lock_note(int fd, const char *state, long domid)
{
	char t[96];
	int n = snprintf(t, sizeof(t), "%s %ld %d\n", state, domid, (int)getpid());

	if (pwrite(fd, t, n, 0) != n || ftruncate(fd, n) < 0)
		return -errno;
	return 0;
}

/* What the holder of a lock has noted; false: nobody holds it, and what the file says is over. */
static bool held_note(const char *name, char note[static 64])
{
	int fd = lock_open(name, O_RDONLY);
	bool held = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0;
	ssize_t n = held ? read(fd, note, 63) : 0;

	note[n > 0 ? n : 0] = 0;
	if (fd >= 0)
		close(fd);
	return held;
}

char *name_lock_state(const char *name)
{
	char note[64];

	if (!held_note(name, note))
		return NULL;
	note[strcspn(note, " \n")] = 0;
	return strdup(note);
}

/* "NAME.move" beside "NAME", for as long as somebody saves or moves the domain. */
static void transfer_name(const char *name, char path[static 300])
{
	snprintf(path, 300, "%s.move", name);
}

int transfer_lock(struct serai *s, const char *name, const char *state, domid_t dom, int *fd)
{
	char lock[300], *other;
	int rc;

	transfer_name(name, lock);
	rc = name_lock(s, lock, fd);
	if (rc == 0) {
		rc = name_lock_note(*fd, state, dom);
		if (rc < 0) {
			name_unlock(*fd);
			serai_fail(s, rc, SERAI_RUN_DIR "/%s.lock: %s", lock, strerror(-rc));
		}
		return rc;
	}
	if (rc != -EBUSY)
		return rc;
	other = name_lock_state(lock);
	if (other && !strcmp(other, "settling"))
		serai_fail(s, rc,
			   "a save or move of %s was killed and is being settled: try again in a moment",
			   name);
	else
		serai_fail(s, rc, "%s is being %s already", name,
			   other && !strcmp(other, "saving") ? "saved" : "moved");
	free(other);
	return rc;
}

char *transfer_state(const char *name)
{
	char lock[300];

	transfer_name(name, lock);
	return name_lock_state(lock);
}

pid_t transfer_mover(const char *name)
{
	char lock[300], note[64];
	int pid;

	transfer_name(name, lock);
	return held_note(lock, note) && sscanf(note, "moving %*d %d", &pid) == 1 ? pid : 0;
}

/* A lock is the file's, not the path's: whoever keeps the old name keeps the new one now. */
int name_lock_move(struct serai *s, const char *from, const char *to)
{
	char old[320], path[320], *state = name_lock_state(to);
	int rc;

	if (state) {
		rc = serai_fail(s, -EBUSY, "\"%s\" is %s: its monitor holds the name", to, state);
		free(state);
		return rc;
	}
	snprintf(old, sizeof(old), SERAI_RUN_DIR "/%s.lock", from);
	snprintf(path, sizeof(path), SERAI_RUN_DIR "/%s.lock", to);
	if (rename(old, path) < 0 && errno != ENOENT)
		return serai_fail(s, -errno, "%s: %s", old, strerror(errno));
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process that stays behind after create: it holds the domain's name, and when the domain shuts
 * down it does what on_poweroff, on_reboot or on_crash say. It sleeps in poll between domain
 * events.
 */
#include "guardian.h"
#include "../stream/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <xen/sched.h>

static void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A line in the domain's log (stderr was pointed there). */
static void note(const char *fmt, ...)
{
	time_t t = time(NULL);
	char when[32];
	va_list ap;

	strftime(when, sizeof(when), "%F %T", localtime(&t));
	fprintf(stderr, "%s ", when);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static const char *reason_name(int reason)
{
	static const char *const names[] = {"poweroff", "reboot",   "suspend",
					    "crash",    "watchdog", "soft-reset"};

	return reason >= 0 && reason < 6 ? names[reason] : "unknown";
}

static enum on_event action_for(const struct domain_config *c, int reason)
{
	switch (reason) {
	case SHUTDOWN_poweroff:
		return c->on_poweroff;
	case SHUTDOWN_reboot:
		return c->on_reboot;
	case SHUTDOWN_crash:
		return c->on_crash;
	case SHUTDOWN_watchdog:
		return c->on_watchdog;
	case SHUTDOWN_soft_reset:
		return ON_RESTART; /* soft reset itself is not implemented: start afresh */
	default:
		return ON_DESTROY;
	}
}

static void dump(struct serai *s, const struct domain_config *c, domid_t dom)
{
	char path[400];
	time_t t = time(NULL);
	char when[32];
	int fd;

	strftime(when, sizeof(when), "%Y-%m%d-%H%M.%S", localtime(&t));
	mkdir(SERAI_DATA_DIR "/dump", 0700);
	snprintf(path, sizeof(path), SERAI_DATA_DIR "/dump/%s-%s.core", when, c->name);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || guest_dump_core(s, dom, fd, NULL, NULL) < 0)
		note("no core dump in %s: %s", path, fd < 0 ? strerror(errno) : s->error);
	else
		note("core dumped to %s", path);
	if (fd >= 0)
		close(fd);
}

/* The store daemon was started anew: the domain's end is still ours to see. */
static int again(struct serai *s, domid_t dom)
{
	int rc;

	do {
		rc = serai_again(s);
		if (rc < 0)
			return rc;
		note("domain %u: connected to xenstored again", dom);
		rc = store_watch(s->store, "@releaseDomain", "monitor");
	} while (serai_lost(rc));
	return rc < 0 ? store_fail(s, rc, "watching it", dom) : 0;
}

/* Wait for the end of a suspended (saved or migrated) domain: the saver decides. 1: gone, 0: it runs on. */
static int wait_gone(struct serai *s, domid_t dom)
{
	char *path, *token;
	int rc;

	for (;;) {
		struct xen_domctl_getdomaininfo info;

		if (xc_domain_info(s->xc, dom, &info) < 0 || (info.flags & XEN_DOMINF_dying))
			return 1;
		if (!(info.flags & XEN_DOMINF_shutdown))
			return 0; /* resumed */
		rc = store_event(s->store, 1000, &path, &token);
		if (rc > 0)
			free(path);
		else if (rc < 0 && (rc = again(s, dom)) < 0)
			return rc;
	}
}

/* 1: another round with *dom; 0: done; negative: failed. */
static int act(struct serai *s, struct domain_config *c, domid_t *dom, int reason, int lock_fd)
{
	struct create_options o = {0};
	enum on_event e = action_for(c, reason);
	domid_t old = *dom;
	int rc;

	note("domain %u shut down: %s; action: %s", *dom, reason_name(reason), on_event_name(e));
	if (e == ON_COREDUMP_DESTROY || e == ON_COREDUMP_RESTART)
		dump(s, c, *dom);
	switch (e) {
	case ON_PRESERVE:
		return 0;
	case ON_RENAME_RESTART: {
		char name[300];

		snprintf(name, sizeof(name), "%s-%u", c->name, *dom);
		/* The next one is who this one was. */
		rc = domain_preserve(s, *dom, name);
		if (rc < 0) {
			note("%s", s->error);
			return rc;
		}
		break;
	}
	default:
		name_lock_note(lock_fd, e == ON_DESTROY || e == ON_COREDUMP_DESTROY ? "ending" : "rebooting",
			       *dom);
		rc = domain_destroy(s, *dom);
		if (rc < 0) {
			note("%s", s->error);
			return rc;
		}
	}
	if (e == ON_DESTROY || e == ON_COREDUMP_DESTROY)
		return 0;
	/* The configuration may have been changed for the next start (serai config-update). */
	rc = domain_create(s, c, &o, dom);
	if (rc < 0) {
		note("restart failed: %s", s->error);
		return rc;
	}
	note("domain %u follows domain %u", *dom, old);
	name_lock_note(lock_fd, "running", *dom);
	return 1;
}

int monitor_run(struct serai *s, struct domain_config *c, domid_t dom, int lock_fd)
{
	int reason = 0, rc = store_watch(s->store, "@releaseDomain", "monitor");

	if (rc < 0)
		return store_fail(s, rc, "watching it", dom);
	name_lock_note(lock_fd, "running", dom);
	for (;;) {
		struct domain_config now;

		rc = domain_wait_shutdown(s, dom, -1, &reason);
		if (rc == 1) {
			note("domain %u is gone", dom);
			return 0;
		}
		if (serai_lost(rc) && (rc = again(s, dom)) >= 0)
			continue;
		if (rc < 0)
			return rc;
		if (reason == SHUTDOWN_suspend) {
			rc = wait_gone(s, dom);
			if (rc)
				return rc < 0 ? rc : 0;
			continue;
		}
		if (record_load(s, dom, &now) == 0) {
			config_free(c);
			*c = now;
		}
		rc = act(s, c, &dom, reason, lock_fd);
		if (rc <= 0)
			return rc;
	}
}

int monitor_start(struct serai *s, struct domain_config *c, domid_t dom, int lock_fd)
{
	struct serai own = {.verbose = s->verbose};
	pid_t pid = fork();
	int rc;

	if (pid < 0)
		return serai_fail(s, -errno, "domain %u: no monitor: %s", dom, strerror(errno));
	if (pid > 0)
		return pid;
	setsid();
	/* Pipes and connections of the command that started us would look open for as long as we
	 * live. */
	if (lock_fd > 3)
		close_range(3, lock_fd - 1, 0);
	close_range(lock_fd < 3 ? 3 : lock_fd + 1, ~0u, 0);
	background_streams(c->name);
	/* Connections do not survive a fork: both processes would read the same stream. */
	rc = serai_open(&own);
	if (rc == 0)
		rc = monitor_run(&own, c, dom, lock_fd);
	if (rc < 0)
		note("monitor: %s", own.error);
	name_unlock(lock_fd);
	_exit(rc < 0);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keeper: holds what must not end with the store, which is the sockets and the memory between
 * them and the worker, and starts workers. It knows nothing of the protocol: it moves bytes. To be
 * replaced by a newer program it becomes that program, with the same descriptors.
 */
#include "daemon.h"
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct keeper {
	const struct options *o;
	struct front *front;
	struct handles h;
	int alive_end; /* the end of the pipe nobody else has */
	int ep, sig;
	pid_t worker;
	bool announced, ring_worker, freed;
	struct timespec started;
};

static void watch_fd(struct keeper *k, int fd, uint32_t events, uint32_t tag)
{
	struct epoll_event e = {.events = events, .data.u32 = tag};

	epoll_ctl(k->ep, EPOLL_CTL_ADD, fd, &e);
}

enum { TAG_LISTENER = SLOTS, TAG_BELL, TAG_SIGNAL };

static int listen_at(const char *rundir)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (fd < 0 ||
	    snprintf(a.sun_path, sizeof(a.sun_path), "%s/socket", rundir) >= (int)sizeof(a.sun_path))
		return -1;
	unlink(a.sun_path);
	umask(0077);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 128) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* -------- bytes -------- */

static uint32_t load(const uint32_t *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static void slot_free(struct keeper *k, struct slot *s)
{
	close(s->fd);
	__atomic_store_n(&s->state, SLOT_FREE, __ATOMIC_RELEASE);
	k->freed = true;
}

static void tell_worker(struct keeper *k, const struct slot *s)
{
	news_put(k->front->for_worker, s - k->front->slot);
	k->ring_worker = true;
}

/* The client is gone; the worker ends the connection when it has read the rest, if it has not cut it off meanwhile. */
static void hang_up(struct keeper *k, struct slot *s)
{
	epoll_ctl(k->ep, EPOLL_CTL_DEL, s->fd, NULL);
	if (slot_hang_up(s))
		tell_worker(k, s);
}

static void from_client(struct keeper *k, struct slot *s)
{
	for (;;) {
		uint32_t used = s->in_prod - load(&s->in_cons), at = s->in_prod & (SLOT_IN - 1);
		uint32_t room = SLOT_IN - used, run = SLOT_IN - at;
		ssize_t n;

		if (!room) {
			__atomic_store_n(&s->want_in, 1, __ATOMIC_SEQ_CST);
			if (__atomic_load_n(&s->in_cons, __ATOMIC_SEQ_CST) + SLOT_IN == s->in_prod)
				return;
			continue;
		}
		n = read(s->fd, s->in + at, room < run ? room : run);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			hang_up(k, s);
			return;
		}
		__atomic_store_n(&s->in_prod, s->in_prod + n, __ATOMIC_RELEASE);
		tell_worker(k, s);
	}
}

static void to_client(struct keeper *k, struct slot *s)
{
	for (;;) {
		uint32_t have = load(&s->out_prod) - s->out_cons, at = s->out_cons & (SLOT_OUT - 1);
		uint32_t run = SLOT_OUT - at;
		ssize_t n;

		if (!have)
			return;
		n = send(s->fd, s->out + at, have < run ? have : run, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return; /* edge-triggered: we are told when there is room */
		if (n < 0) {
			hang_up(k, s);
			return;
		}
		__atomic_store_n(&s->out_cons, s->out_cons + n, __ATOMIC_SEQ_CST);
		if (__atomic_exchange_n(&s->want_out, 0, __ATOMIC_SEQ_CST))
			tell_worker(k, s);
	}
}

static void slot_look(struct keeper *k, struct slot *s)
{
	if (load(&s->state) == SLOT_OPEN)
		to_client(k, s);
	if (load(&s->state) == SLOT_OPEN)
		from_client(k, s);
	if (load(&s->state) == SLOT_DONE) {
		to_client(k, s);
		slot_free(k, s);
	}
}

/* Everybody who waits, as far as there is room: the listener tells of each only once. */
static void let_in(struct keeper *k)
{
	struct front *f = k->front;

	while (load(&f->next_id)) {
		uint32_t i = 0;
		struct slot *s;
		int fd;

		while (i < SLOTS && load(&f->slot[i].state) != SLOT_FREE)
			i++;
		if (i == SLOTS)
			return; /* the listener's queue keeps them */
		fd = accept4(k->h.listener, NULL, NULL, SOCK_NONBLOCK);
		if (fd < 0)
			return;
		s = &f->slot[i];
		s->id = f->next_id++;
		if (f->next_id < CONN_SOCKET)
			f->next_id = CONN_SOCKET; /* after four thousand million of them */
		s->fd = fd;
		s->in_cons = s->in_prod = s->out_cons = s->out_prod = s->want_in = s->want_out = 0;
		if (i >= f->high)
			__atomic_store_n(&f->high, i + 1, __ATOMIC_RELEASE);
		__atomic_store_n(&s->state, SLOT_OPEN, __ATOMIC_RELEASE);
		watch_fd(k, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, i);
		from_client(k, s);
	}
}

/* -------- workers -------- */

static void start_worker(struct keeper *k)
{
	clock_gettime(CLOCK_MONOTONIC, &k->started);
	k->worker = fork();
	if (k->worker)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(k->ep);
	close(k->sig);
	close(k->alive_end);
	close(k->h.listener);
	for (uint32_t i = 0; i < k->front->high; i++)
		if (load(&k->front->slot[i].state) != SLOT_FREE)
			close(k->front->slot[i].fd);
	exit(worker_run(k->o, k->front, &k->h));
}

static void become(struct keeper *k)
{
	char value[64], program[4096];
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);
	char *deleted;

	program[n > 0 ? n : 0] = 0;
	/* The file may have been replaced by a newer one of the same name, which is the point. */
	deleted = strstr(program, " (deleted)");
	if (deleted)
		*deleted = 0;
	if (k->front->update[0])
		snprintf(program, sizeof(program), "%s", k->front->update);
	k->front->update[0] = 0;
	snprintf(value, sizeof(value), "%d,%d,%d,%d,%d,%d", k->h.memory, k->h.listener, k->h.to_worker,
		 k->h.to_keeper, k->h.alive, k->alive_end);
	setenv("XENSTORED_HANDLES", value, 1);
	log_line(STORE_NOTE, "becoming %s", program);
	execv(program, k->o->argv);
	log_line(STORE_ERROR, "%s: %s; going on as before", program, strerror(errno));
	unsetenv("XENSTORED_HANDLES");
}

/* True when it is time to end, with *status. */
static bool worker_ended(struct keeper *k, int how, int *status)
{
	struct timespec now;

	*status = WIFEXITED(how) ? WEXITSTATUS(how) : -1;
	if (*status == WORKER_STOP || *status == WORKER_REFUSED)
		return true;
	if (*status == WORKER_UPDATE)
		become(k);
	else {
		k->front->restarts++;
		log_line(STORE_ERROR, "the worker ended (%s %d); the next one goes on where it was",
			 WIFSIGNALED(how) ? "signal" : "status", WIFSIGNALED(how) ? WTERMSIG(how) : *status);
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!k->announced || (now.tv_sec == k->started.tv_sec && !load(&k->front->ready)))
		sleep(1); /* one that ends as soon as it starts */
	k->front->ready = 0;
	start_worker(k);
	return false;
}

static void announce(struct keeper *k)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd;

	k->announced = true;
	if (k->o->pid_file) {
		FILE *f = fopen(k->o->pid_file, "we");

		if (f)
			fprintf(f, "%d\n", getpid());
		if (!f || fclose(f))
			log_line(STORE_ERROR, "%s: %s", k->o->pid_file, strerror(errno));
	}
	if (k->o->ready_fd >= 0) {
		if (write(k->o->ready_fd, "", 1) < 0)
			log_line(STORE_ERROR, "whoever started this daemon is gone");
		close(k->o->ready_fd);
	}
	if (!path || strlen(path) >= sizeof(a.sun_path))
		return;
	strcpy(a.sun_path, path);
	if (*path == '@')
		a.sun_path[0] = 0;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	sendto(fd, "READY=1", 7, MSG_NOSIGNAL, (struct sockaddr *)&a,
	       offsetof(struct sockaddr_un, sun_path) + strlen(path));
	close(fd);
}

static void bell(struct keeper *k)
{
	uint32_t from = 0;
	uint64_t count;
	int i;

	if (read(k->h.to_keeper, &count, sizeof(count)) < 0)
		return;
	if (!k->announced && load(&k->front->ready)) {
		announce(k);
		k->freed = true; /* who came before that */
	}
	while ((i = news_take(k->front->for_keeper, &from)) >= 0)
		slot_look(k, &k->front->slot[i]);
}

/* True when it is time to end. */
static bool on_signal(struct keeper *k, int *status)
{
	struct signalfd_siginfo info;
	int how;

	while (read(k->sig, &info, sizeof(info)) == sizeof(info))
		if (info.ssi_signo != SIGCHLD)
			kill(k->worker, SIGTERM);
	while (waitpid(k->worker, &how, WNOHANG) == k->worker)
		if (worker_ended(k, how, status))
			return true;
	return false;
}

static int prepare(struct keeper *k, const struct handles *inherited, int alive_end)
{
	int pipe_ends[2];
	sigset_t set;

	if (inherited) {
		k->h = *inherited;
		k->alive_end = alive_end;
		/* An older program's may be smaller. */
		if (ftruncate(k->h.memory, sizeof(struct front)) < 0)
			return -errno;
	} else {
		k->h.memory = memfd_create("xenstored", 0);
		k->h.listener = listen_at(k->o->rundir);
		k->h.to_worker = eventfd(0, EFD_NONBLOCK);
		k->h.to_keeper = eventfd(0, EFD_NONBLOCK);
		if (k->h.memory < 0 || k->h.listener < 0 || k->h.to_worker < 0 || k->h.to_keeper < 0 ||
		    ftruncate(k->h.memory, sizeof(struct front)) < 0 || pipe(pipe_ends) < 0)
			return -errno;
		k->h.alive = pipe_ends[0];
		k->alive_end = pipe_ends[1];
	}
	k->front = mmap(NULL, sizeof(*k->front), PROT_READ | PROT_WRITE, MAP_SHARED, k->h.memory, 0);
	if (k->front == MAP_FAILED)
		return -errno;
	k->ep = epoll_create1(EPOLL_CLOEXEC);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	k->sig = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	watch_fd(k, k->sig, EPOLLIN, TAG_SIGNAL);
	watch_fd(k, k->h.listener, EPOLLIN | EPOLLET, TAG_LISTENER);
	watch_fd(k, k->h.to_keeper, EPOLLIN, TAG_BELL);
	for (uint32_t i = 0; i < k->front->high; i++)
		if (load(&k->front->slot[i].state) == SLOT_OPEN)
			watch_fd(k, k->front->slot[i].fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, i);
	return k->ep < 0 || k->sig < 0 ? -errno : 0;
}

int keeper_run(const struct options *o, const struct handles *inherited, int alive_end)
{
	struct keeper k = {.o = o, .announced = inherited != NULL};
	struct epoll_event e[64];
	int rc = prepare(&k, inherited, alive_end), status;

	if (rc) {
		log_line(STORE_ERROR, "%s: no socket there: %s", o->rundir, strerror(-rc));
		return 1;
	}
	start_worker(&k);
	for (;;) {
		int n = epoll_wait(k.ep, e, 64, -1);
		uint64_t one = 1;

		for (int i = 0; i < n; i++) {
			uint32_t tag = e[i].data.u32;

			if (tag == TAG_SIGNAL && on_signal(&k, &status))
				return status;
			if (tag == TAG_LISTENER)
				let_in(&k);
			if (tag == TAG_BELL)
				bell(&k);
			if (tag < SLOTS)
				slot_look(&k, &k.front->slot[tag]);
		}
		if (k.freed) {
			k.freed = false;
			let_in(&k);
		}
		if (k.ring_worker && write(k.h.to_worker, &one, sizeof(one)) == sizeof(one))
			k.ring_worker = false;
	}
}

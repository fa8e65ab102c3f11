/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

long clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int process_status(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int program_run(const char *const argv[], bool loud)
{
	pid_t pid = fork();
	int null;

	if (pid < 0)
		return -errno;
	if (pid == 0) {
		null = open("/dev/null", O_RDWR);
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		if (!loud)
			dup2(null, STDERR_FILENO);
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	return process_status(pid);
}

int process_wait(pid_t pid, int ms, int *status)
{
	struct pollfd p = {.fd = syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
	long end = clock_ms() + ms;
	int n;

	if (p.fd < 0)
		return -errno;
	do {
		long left = end - clock_ms();

		n = poll(&p, 1, ms < 0 ? -1 : left > 0 ? left : 0);
	} while (n < 0 && errno == EINTR);
	close(p.fd);
	if (n > 0)
		(void)waitpid(pid, status, WNOHANG);
	return n > 0;
}

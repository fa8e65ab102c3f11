/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * This host's side of nbd.c: the kernel's driver, its events and its ioctls.
 */
#include "nbd.h"
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nbd.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int module_load(const char *module, const char *option)
{
	const char *const argv[] = {"modprobe", "-q", module, option, NULL};
	int rc = program_run(argv, false);

	return rc <= 0 ? rc : -ENODEV;
}

/* The driver has no device that would load it when opened. */
static int load(const struct nbd_host *h)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/nbd0", h->sys);
	return access(path, F_OK) == 0 ? 0 : module_load("nbd", "nbds_max=64");
}

/* The driver announces a device that got its size (KOBJ_CHANGE). */
static int events(const struct nbd_host *h)
{
	struct sockaddr_nl a = {.nl_family = AF_NETLINK, .nl_groups = 1};
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT), rc;

	(void)h;
	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

static int disconnect(const struct nbd_host *h, const char *dev)
{
	int fd = open(dev, O_RDWR | O_CLOEXEC), rc = 0;

	(void)h;
	if (fd < 0)
		fd = open(dev, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ioctl(fd, NBD_CLEAR_QUE) < 0 || ioctl(fd, NBD_DISCONNECT) < 0 || ioctl(fd, NBD_CLEAR_SOCK) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

const struct nbd_host nbd_this_host = {
	.sys = "/sys/block",
	.dev = "/dev",
	.log = SERAI_LOG_DIR,
	.program = "qemu-nbd",
	.start_ms = 30000,
	.end_ms = 10000,
	.load = load,
	.events = events,
	.disconnect = disconnect,
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual disks. A block device is given to blkback as it is; a raw file goes through a loop device, anything
 * else through qemu-nbd. What was taken for a disk is named in its backend's nodes, from where device.c gives it back.
 */
#include "nbd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

int loop_attach(const char *file, bool readonly, char *dev, size_t len)
{
	int ctl = open("/dev/loop-control", O_RDWR | O_CLOEXEC), fd, loop, n, rc;

	/* Where nothing makes the node beforehand, nothing loads the driver when it is opened. */
	if (ctl < 0 && errno == ENOENT && module_load("loop", NULL) == 0)
		ctl = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	if (ctl < 0)
		return errno == ENOENT ? -ENODEV : -errno;
	fd = open(file, (readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	if (fd < 0) {
		rc = -errno;
		close(ctl);
		return rc;
	}
	/* Somebody else may take the free device between the two calls: -EBUSY, then try the next. */
	do {
		struct loop_info64 info = {.lo_flags = readonly ? LO_FLAGS_READ_ONLY : 0};

		n = ioctl(ctl, LOOP_CTL_GET_FREE);
		if (n < 0) {
			rc = -errno;
			break;
		}
		snprintf(dev, len, "/dev/loop%d", n);
		loop = open(dev, (readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC);
		if (loop < 0) {
			rc = -errno;
			break;
		}
		rc = ioctl(loop, LOOP_SET_FD, fd) < 0 ? -errno : 0;
		if (rc == 0) {
			snprintf((char *)info.lo_file_name, sizeof(info.lo_file_name), "%s", file);
			ioctl(loop, LOOP_SET_STATUS64, &info);
		}
		close(loop);
	} while (rc == -EBUSY);
	close(fd);
	close(ctl);
	return rc;
}

int loop_detach(const char *dev)
{
	int fd = open(dev, O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return -errno;
	rc = ioctl(fd, LOOP_CLR_FD, 0) < 0 ? -errno : 0;
	close(fd);
	return rc;
}

/* Two loop devices may lie on one file. */
static bool same_file(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Does the backend at `be` give out the device, or a file, that d is on? */
static bool backend_has(struct serai *s, const char *be, const struct disk *d, const char *physical)
{
	char *phys = store_readf(s->store, 0, "%s/physical-device", be);
	char *mode = store_readf(s->store, 0, "%s/mode", be);
	char *file = store_readf(s->store, 0, "%s/params", be);
	bool has = (phys && !strcmp(phys, physical)) || (file && same_file(file, d->target));
	/* Any number may read. */
	bool harm = has && (!d->readonly || !mode || *mode != 'r');

	free(phys);
	free(mode);
	free(file);
	return harm;
}

/* Is this disk exported to another domain already, and would sharing it hurt? */
static int disk_is_free(struct serai *s, const struct disk *d, const char *dev, const char *physical)
{
	unsigned int nd = 0;
	char **doms = store_directory(s->store, 0, "/local/domain/0/backend/vbd", &nd);
	int rc = 0;

	for (unsigned int i = 0; doms && i < nd && !rc; i++) {
		char path[96], be[160], **devs;
		unsigned int n = 0;

		snprintf(path, sizeof(path), "/local/domain/0/backend/vbd/%s", doms[i]);
		devs = store_directory(s->store, 0, path, &n);
		for (unsigned int k = 0; devs && k < n && !rc; k++) {
			snprintf(be, sizeof(be), "%s/%.40s", path, devs[k]);
			if (backend_has(s, be, d, physical))
				rc = serai_fail(s, -EBUSY,
						"disk %s (%s) is in use by domain %s: both could write to it",
						d->target, dev, doms[i]);
		}
		free(devs);
	}
	free(doms);
	return rc;
}

/* What is mounted here, or part of a volume, is held exclusively by the kernel. */
static int device_is_free(struct serai *s, const struct disk *d, const char *dev)
{
	int fd = d->readonly ? -1 : open(dev, O_RDONLY | O_EXCL | O_CLOEXEC);

	if (fd < 0 && !d->readonly && errno == EBUSY)
		return serai_fail(s, -EBUSY, "disk %s: %s is in use on this host (mounted?)", d->target, dev);
	if (fd >= 0)
		close(fd);
	return 0;
}

/* The node that says what is to be given back; NULL: the device is the administrator's own. */
static const char *const loop_node = "loop-device", *const nbd_node = "nbd-device";

static void taken_release(struct serai *s, const char *taken, const char *dev)
{
	struct serai undo = *s; /* the cause is in s */

	if (taken == loop_node)
		loop_detach(dev);
	else if (taken == nbd_node)
		nbd_detach(&undo, &nbd_this_host, dev);
}

/* qemu-nbd gets the whole path: it would take what stands before a colon for a protocol. */
static int disk_serve(struct serai *s, const struct disk *d, const char *file, char *dev, size_t len)
{
	char *path = path_is_nbd(file) ? strdup(file) : realpath(file, NULL);
	int rc = path ? nbd_attach(s, &nbd_this_host, d, path, dev, len)
		      : serai_fail(s, -errno, "disk %s: %s", d->target, strerror(errno));

	free(path);
	return rc;
}

static int disk_open(struct serai *s, const struct disk *d, char *dev, size_t len, const char **taken)
{
	char local[512];
	const char *file = d->target;
	struct stat st = {0};
	int rc;

	*taken = NULL;
	if (d->backend == DISK_PHY && disk_needs_nbd(d))
		return serai_fail(s, -EINVAL, "disk %s: backendtype=phy needs a block device with a raw disk",
				  d->target);
	if (path_is_url(d->target)) {
		if (!d->readonly)
			return serai_fail(s, -EINVAL,
					  "disk %s: what a URL names cannot be written to: add access=ro, or "
					  "make a copy of "
					  "your own with serai fetch",
					  d->target);
		rc = url_fetch(s, d->target, local, sizeof(local));
		if (rc < 0)
			return rc;
		file = local;
	}
	if (!path_is_nbd(file) && stat(file, &st) < 0)
		return serai_fail(s, -errno, "disk %s: %s", d->target, strerror(errno));
	if (disk_needs_nbd(d)) {
		rc = disk_serve(s, d, file, dev, len);
		*taken = rc == 0 ? nbd_node : NULL;
		return rc;
	}
	if (S_ISBLK(st.st_mode)) {
		snprintf(dev, len, "%s", file);
		return device_is_free(s, d, dev);
	}
	if (!S_ISREG(st.st_mode))
		return serai_fail(s, -EINVAL, "disk %s: neither a block device nor a file", d->target);
	if (d->backend == DISK_PHY)
		return serai_fail(s, -EINVAL, "disk %s: backendtype=phy needs a block device", d->target);
	rc = loop_attach(file, d->readonly, dev, len);
	*taken = rc == 0 ? loop_node : NULL;
	if (rc == -ENODEV)
		return serai_fail(s, rc, "disk %s: this kernel has no loop devices: load the module loop",
				  d->target);
	return rc < 0 ? serai_fail(s, rc, "disk %s: no loop device: %s", d->target, strerror(-rc)) : 0;
}

/* Who is the last key set by: the physical device makes blkback start. */
static int disk_add(struct serai *s, domid_t dom, const struct disk *d, unsigned int devid, const char *dev,
		    const char *taken)
{
	struct kv front[3] = {{"virtual-device", ""}, {"device-type", "disk"}, {"protocol", "x86_64-abi"}};
	struct kv back[16] = {{"removable", "0"},
			      {"bootable", "1"},
			      {"dev", ""},
			      {"type", "phy"},
			      {"mode", "w"},
			      {"device-type", "disk"},
			      {"discard-enable", "1"},
			      {"params", ""},
			      {"script", "/etc/xen/scripts/block"},
			      {"physical-device", ""},
			      {"physical-device-path", ""}};
	unsigned int n = 11;
	struct stat st;
	int rc;

	if (stat(dev, &st) < 0)
		return serai_fail(s, -errno, "disk %s: %s", dev, strerror(errno));
	snprintf(front[0].value, sizeof(front[0].value), "%u", devid);
	if (d->cdrom) {
		strcpy(front[1].value, "cdrom");
		strcpy(back[5].value, "cdrom");
		strcpy(back[0].value, "1");
	}
	snprintf(back[2].value, sizeof(back[2].value), "%s", d->vdev);
	if (d->readonly) {
		strcpy(back[4].value, "r");
		strcpy(back[6].value, "0");
	}
	snprintf(back[7].value, sizeof(back[7].value), "%s", d->target);
	snprintf(back[9].value, sizeof(back[9].value), "%x:%x", major(st.st_rdev), minor(st.st_rdev));
	snprintf(back[10].value, sizeof(back[10].value), "%s", dev);
	if (taken) {
		back[n].key = taken;
		snprintf(back[n++].value, sizeof(back[0].value), "%s", dev);
	}
	if (!d->script && (rc = disk_is_free(s, d, dev, back[9].value)) < 0)
		return rc;
	rc = device_add(s, dom, "vbd", devid, front, 3, back, n);
	return rc < 0 ? rc : device_hotplugged(s, dom, "vbd", devid);
}

static int disk_script(struct serai *s, domid_t dom, const struct disk *d, unsigned int devid)
{
	struct kv front[2] = {{"virtual-device", ""}, {"device-type", "disk"}};
	struct kv back[6] = {{"params", ""}, {"script", ""}, {"serai-script", ""},
			     {"mode", "w"},  {"dev", ""},    {"type", "phy"}};
	int rc;

	snprintf(front[0].value, sizeof(front[0].value), "%u", devid);
	snprintf(back[0].value, sizeof(back[0].value), "%s", d->target);
	snprintf(back[1].value, sizeof(back[1].value), "%s%s", *d->script == '/' ? "" : "/etc/xen/scripts/",
		 d->script);
	strcpy(back[2].value, back[1].value);
	strcpy(back[3].value, d->readonly ? "r" : "w");
	snprintf(back[4].value, sizeof(back[4].value), "%s", d->vdev);
	rc = device_add(s, dom, "vbd", devid, front, 2, back, 6);
	return rc < 0 ? rc : device_script(s, dom, "vbd", devid, back[1].value, "add", NULL);
}

int disk_attach(struct serai *s, domid_t dom, const struct disk *d)
{
	unsigned int devid;
	const char *taken;
	char dev[512];
	int rc;

	if (vdev_number(d->vdev, &devid))
		return serai_fail(s, -EINVAL, "\"%s\" is not a virtual device name", d->vdev);
	if (d->script)
		return disk_script(s, dom, d, devid);
	if (d->format == DISK_EMPTY)
		return 0; /* an empty drive has no meaning for PV */
	rc = disk_open(s, d, dev, sizeof(dev), &taken);
	if (rc < 0)
		return rc;
	rc = disk_add(s, dom, d, devid, dev, taken);
	if (rc < 0)
		taken_release(s, taken, dev);
	return rc;
}

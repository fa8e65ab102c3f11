/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual disks. A block device is given to blkback as it is; a raw file goes through a loop device.
 */
#include "serai.h"

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

	if (ctl < 0)
		return -errno;
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

/* Is this device exported to another domain already, and would sharing it hurt? */
static int disk_is_free(struct serai *s, const struct disk *d, const char *dev, const char *physical)
{
	unsigned int nd = 0;
	char **doms = store_directory(s->store, 0, "/local/domain/0/backend/vbd", &nd);
	int rc = 0;

	for (unsigned int i = 0; doms && i < nd && !rc; i++) {
		char path[96], **devs;
		unsigned int n = 0;

		snprintf(path, sizeof(path), "/local/domain/0/backend/vbd/%s", doms[i]);
		devs = store_directory(s->store, 0, path, &n);
		for (unsigned int k = 0; devs && k < n && !rc; k++) {
			char *phys = store_readf(s->store, 0, "%s/%s/physical-device", path, devs[k]);
			char *mode = store_readf(s->store, 0, "%s/%s/mode", path, devs[k]);

			if (phys && !strcmp(phys, physical) && (!d->readonly || !mode || *mode != 'r'))
				rc = serai_fail(s, -EBUSY,
						"disk %s (%s) is in use by domain %s: both could write to it",
						d->target, dev, doms[i]);
			free(phys);
			free(mode);
		}
		free(devs);
	}
	free(doms);
	return rc;
}

static int disk_open(struct serai *s, const struct disk *d, char *dev, size_t len, bool *loop)
{
	char local[512];
	const char *file = d->target;
	struct stat st;
	int rc;

	*loop = false;
	if (d->format != DISK_RAW && d->format != DISK_EMPTY)
		return serai_fail(s, -EOPNOTSUPP,
				  "disk %s: only raw disks can be attached (convert it with qemu-img)",
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
	if (stat(file, &st) < 0)
		return serai_fail(s, -errno, "disk %s: %s", d->target, strerror(errno));
	if (S_ISBLK(st.st_mode)) {
		snprintf(dev, len, "%s", file);
		return 0;
	}
	if (!S_ISREG(st.st_mode))
		return serai_fail(s, -EINVAL, "disk %s: neither a block device nor a file", d->target);
	if (d->backend == DISK_PHY)
		return serai_fail(s, -EINVAL, "disk %s: backendtype=phy needs a block device", d->target);
	rc = loop_attach(file, d->readonly, dev, len);
	*loop = rc == 0;
	return rc < 0 ? serai_fail(s, rc, "disk %s: no loop device: %s", d->target, strerror(-rc)) : 0;
}

/* Who is the last key set by: the physical device makes blkback start. */
static int disk_add(struct serai *s, domid_t dom, const struct disk *d, unsigned int devid, const char *dev,
		    bool loop)
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
			      {"physical-device-path", ""},
			      {"loop-device", ""}};
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
	if (loop)
		snprintf(back[n++].value, sizeof(back[0].value), "%s", dev);
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
	char dev[512];
	bool loop;
	int rc;

	if (vdev_number(d->vdev, &devid))
		return serai_fail(s, -EINVAL, "\"%s\" is not a virtual device name", d->vdev);
	if (d->script)
		return disk_script(s, dom, d, devid);
	if (d->format == DISK_EMPTY)
		return 0; /* an empty drive has no meaning for PV */
	rc = disk_open(s, d, dev, sizeof(dev), &loop);
	if (rc < 0)
		return rc;
	rc = disk_add(s, dom, d, devid, dev, loop);
	if (rc < 0 && loop)
		loop_detach(dev);
	return rc;
}

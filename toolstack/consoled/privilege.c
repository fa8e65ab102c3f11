/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the daemon keeps of root. The files it needs belong to root: the devices under /dev/xen,
 * xenstored's socket, the logs; so it stays user 0. It needs no capability at all, and gives all of
 * them up, for itself and whatever it might execute. Of groups it keeps the one whose members may
 * look at consoles.
 */
#include "consoled.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

void privilege_groups(struct daemon *d)
{
	const struct group *g = getgrnam(CONSOLED_GROUP);
	struct rlimit files;

	d->group = g ? g->gr_gid : (gid_t)-1;
	if (setgroups(g ? 1 : 0, g ? &d->group : NULL) < 0 && g) {
		say(d, "group " CONSOLED_GROUP ": %s: consoles are for root only", strerror(errno));
		d->group = (gid_t)-1;
	}
	/* Three descriptors a guest, one a viewer. */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
}

int privilege_drop(struct daemon *d)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};

	for (int c = 0; c <= CAP_LAST_CAP; c++)
		(void)prctl(PR_CAPBSET_DROP, c, 0, 0, 0); /* -EINVAL: this kernel has fewer */
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || syscall(SYS_capset, &h, none) < 0)
		return -errno;
	say(d, "privileges: user 0 for /dev/xen, xenstored's socket and the logs%s; no capabilities",
	    d->group != (gid_t)-1 ? ", group " CONSOLED_GROUP " for the viewers' sockets" : "");
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the daemon keeps: user 0, because /dev/xen, /proc/xen and the run directory are root's and
 * are opened again whenever a worker starts. What it gives up: every capability, for good; the Xen
 * devices ask for none once they are open, and files of root are opened as their owner.
 */
#include "daemon.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int drop_privileges(void)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};

	if (geteuid())
		return 0;
	for (int cap = 0; !prctl(PR_CAPBSET_READ, cap, 0, 0, 0) || prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1;
	     cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 && errno != EPERM)
			return -errno;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || syscall(SYS_capset, &h, none) < 0)
		return -errno;
	return 0;
}

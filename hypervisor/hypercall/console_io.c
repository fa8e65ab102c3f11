/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HYPERVISOR_console_io (docs/abi/console.md): the control domain's console on the serial line.
 * Output goes out as it is; input is what the serial line received while it was switched to the
 * domain.
 */
#include <console.h>
#include <hypercall.h>
#include <lib.h>
#include <uaccess.h>

static long console_write(u64 count, u64 buf)
{
	char chunk[256];

	while (count) {
		size_t n = min(count, sizeof(chunk));

		if (copy_from_guest_va(chunk, buf, n))
			return -EFAULT;
		console_guest_write(chunk, n);
		count -= n;
		buf += n;
		if (count && hypercall_preempt_check())
			return call_restart(3, CONSOLEIO_write, count, buf, 0, 0);
	}
	return 0;
}

static long console_read(u64 count, u64 buf)
{
	char chunk[256];
	u64 done = 0;

	while (done < count) {
		size_t n = console_input_read(chunk, min(count - done, sizeof(chunk)));

		if (!n)
			break;
		if (copy_to_guest_va(buf + done, chunk, n))
			return -EFAULT;
		done += n;
	}
	return (long)done;
}

long do_console_io(u64 cmd, u64 count, u64 buf, u64 a4, u64 a5)
{
	(void)a4;
	(void)a5;
	if (hc_permit(HC_CONTROL, NULL))
		return -EPERM;
	/* The count is an int in the ABI. */
	if (count > INT_MAX)
		return -EINVAL;
	if (cmd == CONSOLEIO_write)
		return console_write(count, buf);
	if (cmd == CONSOLEIO_read)
		return console_read(count, buf);
	return -ENOSYS;
}

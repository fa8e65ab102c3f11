/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may do what to whom: the one place that decides. */
#include <hypercall.h>

int hc_permit(enum hc_priv p, const struct domain *d)
{
	const struct domain *caller = current->domain;

	switch (p) {
	case HC_SELF:
		return !d || d == caller ? 0 : -EPERM;
	case HC_ANY:
		return 0;
	case HC_TARGET:
		if (caller->is_control || d == caller || (d && caller->target == d))
			return 0;
		return -EPERM;
	case HC_CONTROL:
		return caller->is_control ? 0 : -EPERM;
	case HC_HARDWARE:
		return caller->is_hardware ? 0 : -EPERM;
	}
	return -EPERM;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HVM_OP. There are only PV domains, so the operations check what they name and refuse it.
 * Page: docs/abi/hvm.md.
 */
#include <hypercall.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>

static long param(void *arg)
{
	const struct xen_hvm_param *p = arg;
	struct domain *d;

	if (p->index >= HVM_NR_PARAMS)
		return -EINVAL;
	d = domain_get_by_any_id(p->domid);
	if (!d)
		return -ESRCH;
	domain_put(d);
	return -EINVAL;
}

static long pv_caller(void *arg)
{
	return -EINVAL;
}

/* Begins with the number of a domain, which is looked for first; there is none of the right kind. */
static long pv_target(void *arg)
{
	struct domain *d = domain_get_by_any_id(*(const domid_t *)arg);

	if (!d)
		return -ESRCH;
	domain_put(d);
	return -EINVAL;
}

#define op_set_param param
#define op_get_param param
#define op_flush_tlbs NULL
#define op_pagetable_dying pv_target
#define op_get_time pv_caller
#define op_get_mem_type pv_target
#define op_set_evtchn_upcall_vector pv_caller

#define OP(family, nr, name, type, dir, priv, again) [nr] = HC_ROW(name, type, dir, priv, again),
static const struct hc_row rows[] = {
#include <def/hvm.def>
};
#undef OP

long do_hvm_op(u64 cmd, u64 uarg, u64 a3, u64 a4, u64 a5)
{
	return hypercall_family(rows, ARRAY_SIZE(rows), (unsigned int)cmd, uarg);
}

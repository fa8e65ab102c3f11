/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Typed wrappers of the host-control operations.
 */
#include "xc_internal.h"

#include <errno.h>
#include <string.h>

#define SYSCTL(name) struct xen_sysctl op = {.cmd = XEN_SYSCTL_##name}

int xc_physinfo(struct xc *xc, struct xen_sysctl_physinfo *info)
{
	SYSCTL(physinfo);
	int rc = xc_sysctl(xc, &op);

	*info = op.u.physinfo;
	return rc;
}

int xc_scheduler(struct xc *xc, unsigned int *id)
{
	SYSCTL(sched_id);
	int rc = xc_sysctl(xc, &op);

	*id = op.u.sched_id.sched_id;
	return rc;
}

int xc_readconsole(struct xc *xc, char *buf, size_t *len, bool clear, bool incremental, uint32_t *index)
{
	size_t mark = xc_mark(xc);
	char *b = xc_buffer(xc, *len);
	SYSCTL(readconsole);
	int rc;

	if (!b)
		return -ENOMEM;
	op.u.readconsole.clear = clear;
	op.u.readconsole.incremental = incremental;
	op.u.readconsole.index = index ? *index : 0;
	op.u.readconsole.count = *len;
	set_xen_guest_handle(op.u.readconsole.buffer, b);
	rc = xc_sysctl(xc, &op);
	if (rc >= 0) {
		*len = op.u.readconsole.count;
		memcpy(buf, b, *len);
		if (index)
			*index = op.u.readconsole.index;
	}
	xc_release(xc, mark);
	return rc;
}

int xc_debug_keys(struct xc *xc, const char *keys)
{
	size_t mark = xc_mark(xc), len = strlen(keys);
	char *b = xc_buffer(xc, len + 1);
	SYSCTL(debug_keys);
	int rc;

	if (!b)
		return -ENOMEM;
	memcpy(b, keys, len);
	op.u.debug_keys.nr_keys = len;
	set_xen_guest_handle(op.u.debug_keys.keys, (const char *)b);
	rc = xc_sysctl(xc, &op);
	xc_release(xc, mark);
	return rc;
}

int xc_cpu_idle(struct xc *xc, uint64_t *idle_ns, unsigned int *ncpus)
{
	size_t mark = xc_mark(xc);
	xen_sysctl_cpuinfo_t *b = xc_buffer(xc, *ncpus * sizeof(*b));
	SYSCTL(getcpuinfo);
	int rc;

	if (!b)
		return -ENOMEM;
	op.u.getcpuinfo.max_cpus = *ncpus;
	set_xen_guest_handle(op.u.getcpuinfo.info, b);
	rc = xc_sysctl(xc, &op);
	if (rc >= 0) {
		*ncpus = op.u.getcpuinfo.nr_cpus;
		for (unsigned int i = 0; i < *ncpus; i++)
			idle_ns[i] = b[i].idletime;
	}
	xc_release(xc, mark);
	return rc;
}

int xc_cputopo(struct xc *xc, xen_sysctl_cputopo_t *topo, unsigned int *n)
{
	size_t mark = xc_mark(xc);
	xen_sysctl_cputopo_t *b = xc_buffer(xc, *n * sizeof(*b));
	SYSCTL(cputopoinfo);
	unsigned int room = *n;
	int rc;

	if (!b)
		return -ENOMEM;
	op.u.cputopoinfo.num_cpus = room;
	set_xen_guest_handle(op.u.cputopoinfo.cputopo, b);
	rc = xc_sysctl(xc, &op);
	if (rc >= 0) {
		*n = op.u.cputopoinfo.num_cpus;
		memcpy(topo, b, (*n < room ? *n : room) * sizeof(*b));
	}
	xc_release(xc, mark);
	return rc;
}

int xc_numainfo(struct xc *xc, xen_sysctl_meminfo_t *mem, uint32_t *distance, unsigned int *nodes)
{
	size_t mark = xc_mark(xc);
	unsigned int room = *nodes;
	xen_sysctl_meminfo_t *m = xc_buffer(xc, room * sizeof(*m));
	uint32_t *d = xc_buffer(xc, room * room * sizeof(*d));
	SYSCTL(numainfo);
	int rc;

	if (!m || !d)
		return -ENOMEM;
	op.u.numainfo.num_nodes = room;
	set_xen_guest_handle(op.u.numainfo.meminfo, m);
	set_xen_guest_handle(op.u.numainfo.distance, d);
	rc = xc_sysctl(xc, &op);
	if (rc >= 0) {
		*nodes = op.u.numainfo.num_nodes < room ? op.u.numainfo.num_nodes : room;
		memcpy(mem, m, *nodes * sizeof(*m));
		memcpy(distance, d, *nodes * *nodes * sizeof(*d));
	}
	xc_release(xc, mark);
	return rc;
}

int xc_cpupool_info(struct xc *xc, uint32_t id, struct xc_cpupool *pool)
{
	size_t mark = xc_mark(xc);
	uint8_t *b = xc_buffer(xc, sizeof(pool->cpus));
	SYSCTL(cpupool_op);
	int rc;

	if (!b)
		return -ENOMEM;
	op.u.cpupool_op.op = XEN_SYSCTL_CPUPOOL_OP_INFO;
	op.u.cpupool_op.cpupool_id = id;
	set_xen_guest_handle(op.u.cpupool_op.cpumap.bitmap, b);
	op.u.cpupool_op.cpumap.nr_bits = sizeof(pool->cpus) * 8;
	rc = xc_sysctl(xc, &op);
	if (rc >= 0) {
		pool->id = op.u.cpupool_op.cpupool_id;
		pool->sched = op.u.cpupool_op.sched_id;
		pool->domains = op.u.cpupool_op.n_dom;
		memcpy(pool->cpus, b, sizeof(pool->cpus));
	}
	xc_release(xc, mark);
	return rc;
}

int xc_cpupool_free_cpus(struct xc *xc, uint8_t *map, unsigned int bits)
{
	size_t mark = xc_mark(xc);
	uint8_t *b = xc_buffer(xc, (bits + 7) / 8);
	SYSCTL(cpupool_op);
	int rc;

	if (!b)
		return -ENOMEM;
	op.u.cpupool_op.op = XEN_SYSCTL_CPUPOOL_OP_FREEINFO;
	set_xen_guest_handle(op.u.cpupool_op.cpumap.bitmap, b);
	op.u.cpupool_op.cpumap.nr_bits = bits;
	rc = xc_sysctl(xc, &op);
	if (rc >= 0)
		memcpy(map, b, (bits + 7) / 8);
	xc_release(xc, mark);
	return rc;
}

int xc_sched_credit2_pool_get(struct xc *xc, uint32_t pool, uint32_t *ratelimit_us)
{
	SYSCTL(scheduler_op);
	int rc;

	op.u.scheduler_op.cpupool_id = pool;
	op.u.scheduler_op.sched_id = XEN_SCHEDULER_CREDIT2;
	op.u.scheduler_op.cmd = XEN_SYSCTL_SCHEDOP_getinfo;
	rc = xc_sysctl(xc, &op);
	*ratelimit_us = op.u.scheduler_op.u.sched_credit2.ratelimit_us;
	return rc;
}

int xc_sched_credit2_pool_set(struct xc *xc, uint32_t pool, uint32_t ratelimit_us)
{
	SYSCTL(scheduler_op);

	op.u.scheduler_op.cpupool_id = pool;
	op.u.scheduler_op.sched_id = XEN_SCHEDULER_CREDIT2;
	op.u.scheduler_op.cmd = XEN_SYSCTL_SCHEDOP_putinfo;
	op.u.scheduler_op.u.sched_credit2.ratelimit_us = ratelimit_us;
	return xc_sysctl(xc, &op);
}

int xc_cpu_featureset(struct xc *xc, unsigned int index, uint32_t *words, unsigned int *n)
{
	size_t mark = xc_mark(xc);
	uint32_t *b = xc_buffer(xc, *n * sizeof(*b));
	SYSCTL(get_cpu_featureset);
	int rc;

	if (!b)
		return -ENOMEM;
	op.u.cpu_featureset.index = index;
	op.u.cpu_featureset.nr_features = *n;
	set_xen_guest_handle(op.u.cpu_featureset.features, b);
	rc = xc_sysctl(xc, &op);
	if (rc >= 0) {
		*n = op.u.cpu_featureset.nr_features;
		memcpy(words, b, *n * sizeof(*b));
	}
	xc_release(xc, mark);
	return rc;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making a domain. Everything that can be wrong with the request is found before the hypervisor is
 * asked for anything; after that, any failure undoes the whole domain.
 *
 * Order: createdomain, limits, xenstore skeleton, scheduler, devices, record, memory and kernel (or a restored
 * image), introduce, unpause. Devices come before memory: drivers and hotplug scripts take their time, and a
 * domain that moves here is not stopped for it.
 */
#include "bootloader.h"
#include "kernel.h"
#include "policy.h"
#include "serai/xc_build.h"

#include <errno.h>
#include <string.h>

struct images {
	struct kernel_file kernel;
	void *ramdisk;
	size_t ramdisk_len;
	char *cmdline; /* of the boot loader; NULL: the configuration's */
};

static void images_free(struct images *i)
{
	kernel_close(&i->kernel);
	free(i->ramdisk);
	free(i->cmdline);
}

static int images_load(struct serai *s, const struct domain_config *c, struct images *i)
{
	int rc;

	struct boot_files found = {0};
	const char *kernel = c->kernel, *ramdisk = c->ramdisk;

	memset(i, 0, sizeof(*i));
	if (!c->kernel && !c->bootloader)
		return serai_fail(s, -EINVAL, "%s: neither kernel = nor bootloader = is given", c->name);
	if (c->bootloader) {
		if ((rc = bootloader_run(s, &boot_this_host, c, &found)) < 0)
			return rc;
		kernel = found.kernel;
		ramdisk = found.ramdisk;
		i->cmdline = found.args;
		found.args = NULL;
	}
	rc = kernel_open(s, kernel, !c->bootloader, &i->kernel);
	if (rc == 0 && ramdisk)
		rc = file_read(s, ramdisk, &i->ramdisk, &i->ramdisk_len);
	boot_files_remove(&found);
	if (rc < 0) {
		images_free(i);
		memset(i, 0, sizeof(*i));
	}
	return rc;
}

static int build_kernel(struct serai *s, domid_t dom, struct domain_config *c, struct domain_ports *p,
			void *arg)
{
	struct images *i = arg;
	struct xc_build b = {.kernel = &i->kernel.k,
			     .ramdisk = i->ramdisk,
			     .ramdisk_len = i->ramdisk_len,
			     .cmdline = i->cmdline ? i->cmdline : c->cmdline,
			     .pages = c->mem_kib / 4,
			     .max_pages = c->maxmem_kib / 4,
			     .vcpus = c->vcpus,
			     .store_port = p->store,
			     .console_port = p->console,
			     .claim = c->claim};
	int rc = xc_build_pv(s->xc, dom, &b);

	if (rc < 0)
		return serai_fail_xc(s, rc, "%s: cannot be built", c->name);
	p->store_mfn = b.store_mfn;
	p->console_mfn = b.console_mfn;
	return 0;
}

static int name_is_free(struct serai *s, const struct domain_config *c)
{
	domid_t other;

	if (domain_find(s, c->name, &other) == 0)
		return serai_fail(s, -EEXIST,
				  "a domain called \"%s\" exists already (number %u): destroy it or choose "
				  "another name",
				  c->name, other);
	return 0;
}

static int affinity_apply(struct serai *s, const struct domain_config *c, domid_t dom)
{
	struct xen_sysctl_physinfo ph;
	uint8_t hard[128], soft[128];
	int rc = xc_physinfo(s->xc, &ph);

	if (rc < 0)
		return serai_fail_xc(s, rc, "no answer about this host's CPUs");
	for (unsigned int v = 0; v < c->maxvcpus; v++) {
		const char *h = c->nr_cpus ? c->cpus[v < c->nr_cpus ? v : c->nr_cpus - 1] : NULL;
		const char *w =
			c->nr_cpus_soft ? c->cpus_soft[v < c->nr_cpus_soft ? v : c->nr_cpus_soft - 1] : NULL;

		if (!h && !w)
			continue;
		if ((h && cpus_parse(h, hard, ph.max_cpu_id + 1) < 0) ||
		    (w && cpus_parse(w, soft, ph.max_cpu_id + 1) < 0))
			return serai_fail(s, -EINVAL, "%s: cpus = \"%s\" names none of this host's %u CPUs",
					  c->name, h ? h : w, ph.max_cpu_id + 1);
		rc = xc_vcpu_set_affinity(s->xc, dom, v, h ? hard : NULL, w ? soft : NULL, ph.max_cpu_id + 1,
					  false);
		if (rc < 0)
			return serai_fail_xc(s, rc, "%s: cannot pin vCPU %u", c->name, v);
	}
	return 0;
}

static int scheduler_apply(struct serai *s, const struct domain_config *c, domid_t dom)
{
	struct xen_domctl_sched_credit2 p;
	int rc;

	if (c->weight < 0 && c->cap < 0)
		return 0;
	rc = xc_sched_credit2_get(s->xc, dom, &p);
	if (rc < 0)
		return serai_fail_xc(s, rc, "%s: weight and cap need the credit2 scheduler", c->name);
	if (c->weight >= 0)
		p.weight = c->weight;
	if (c->cap >= 0)
		p.cap = c->cap;
	rc = xc_sched_credit2_set(s->xc, dom, &p);
	return rc < 0 ? serai_fail_xc(s, rc, "%s: weight or cap refused", c->name) : 0;
}

/* The number of the CPU pool a configuration names. */
static int pool_find(struct serai *s, const struct domain_config *c, uint32_t *id)
{
	struct xc_cpupool pool;

	*id = 0;
	for (uint32_t next = 0; c->pool && xc_cpupool_info(s->xc, next, &pool) == 0; next = pool.id + 1) {
		char *name = store_readf(s->store, 0, "/local/pool/%u/name", pool.id);
		bool found = name && !strcmp(name, c->pool);

		free(name);
		*id = pool.id;
		if (found)
			return 0;
	}
	if (!c->pool || !strcmp(c->pool, "Pool-0")) {
		*id = 0;
		return 0;
	}
	return serai_fail(s, -ENOENT, "%s: this host has no CPU pool \"%s\" (serai cpupool-list)", c->name,
			  c->pool);
}

static int hypervisor_create(struct serai *s, struct domain_config *c, domid_t *dom)
{
	struct xen_domctl_createdomain cfg = {
		.ssidref = 0,
		.max_vcpus = c->maxvcpus,
		.max_evtchn_port = c->max_event_channels >= 0 ? c->max_event_channels : 1023,
		.max_grant_frames = c->max_grant_frames,
		.max_maptrack_frames = c->max_maptrack_frames,
		.grant_opts = XEN_DOMCTL_GRANT_version(2),
		.arch.misc_flags = c->msr_relaxed ? XEN_X86_MSR_RELAXED : 0,
	};
	int rc = pool_find(s, c, &cfg.cpupool_id);

	if (rc < 0)
		return rc;
	memcpy(cfg.handle, c->uuid, sizeof(cfg.handle));
	*dom = 0; /* the hypervisor chooses */
	rc = xc_domain_create(s->xc, dom, &cfg);
	return rc < 0 ? serai_fail_xc(s, rc, "%s", c->name) : 0;
}

static unsigned int tsc_mode_number(const char *mode)
{
	static const char *const names[] = {"default", "always_emulate", "native", "native_paravirt"};

	for (unsigned int i = 0; mode && i < 4; i++)
		if (!strcmp(mode, names[i]))
			return i;
	return 0;
}

/* The policy PV domains get here, changed as cpuid = says. The hypervisor takes off what depends on what is gone. */
static int policy_make(struct serai *s, const struct domain_config *c, struct xc_policy *p)
{
	struct xc_policy host = {0};
	char why[256];
	int rc = xc_policy_host(s->xc, XEN_SYSCTL_cpu_policy_pv_default, p);

	if (rc == 0 && policy_wants_host(c) &&
	    (rc = xc_policy_host(s->xc, XEN_SYSCTL_cpu_policy_host, &host)) < 0)
		xc_policy_free(p);
	if (rc < 0)
		return serai_fail_xc(s, rc, "%s: no CPU policy for PV domains", c->name);
	rc = policy_apply(p, &host, c, why, sizeof(why));
	xc_policy_free(&host);
	if (rc == 0)
		return 0;
	xc_policy_free(p);
	return serai_fail(s, rc, "%s: cpuid: %s", c->name, why);
}

static int limits_apply(struct serai *s, const struct domain_config *c, domid_t dom)
{
	struct xen_domctl_tsc_info tsc = {.tsc_mode = tsc_mode_number(c->tsc_mode)};
	struct xc_policy policy;
	int rc;

	if ((rc = xc_domain_max_vcpus(s->xc, dom, c->maxvcpus)) < 0 ||
	    (rc = xc_domain_set_max_mem(s->xc, dom, c->maxmem_kib + 1024)) < 0 ||
	    (rc = xc_set_memory_map(s->xc, dom, c->maxmem_kib << 10)) < 0 ||
	    (rc = xc_domain_set_tsc(s->xc, dom, &tsc)) < 0)
		return serai_fail_xc(s, rc, "%s: limits refused", c->name);
	if ((rc = policy_make(s, c, &policy)) < 0)
		return rc;
	rc = xc_policy_set(s->xc, dom, &policy);
	xc_policy_free(&policy);
	return rc < 0 ? serai_fail_xc(s, rc, "%s: CPU policy refused", c->name) : 0;
}

static int devices_add(struct serai *s, struct domain_config *c, domid_t dom)
{
	int rc = 0;

	for (unsigned int i = 0; i < c->nr_disks && rc >= 0; i++)
		rc = disk_attach(s, dom, &c->disks[i]);
	for (unsigned int i = 0; i < c->nr_nics && rc >= 0; i++)
		rc = nic_attach(s, dom, &c->nics[i]);
	return rc;
}

/* Everything after createdomain; the caller destroys the domain when this fails. */
static int domain_fill(struct serai *s, struct domain_config *c, const struct create_options *o, domid_t dom,
		       struct images *images)
{
	struct domain_ports p = {0};
	int rc;

	if ((rc = limits_apply(s, c, dom)) < 0 || (rc = nodes_create(s, c, dom, 0)) < 0 ||
	    (rc = affinity_apply(s, c, dom)) < 0 || (rc = scheduler_apply(s, c, dom)) < 0 ||
	    (!o->devices_last && (rc = devices_add(s, c, dom)) < 0) || (rc = record_save(s, dom, c)) < 0)
		return rc;
	if ((rc = xc_event_alloc_unbound(s->xc, dom, 0, &p.store)) < 0 ||
	    (rc = xc_event_alloc_unbound(s->xc, dom, 0, &p.console)) < 0)
		return serai_fail_xc(s, rc, "%s", c->name);
	rc = o->build ? o->build(s, dom, c, &p, o->arg) : build_kernel(s, dom, c, &p, images);
	if (rc < 0 || (o->devices_last && (rc = devices_add(s, c, dom)) < 0))
		return rc;
	if ((rc = nodes_introduce(s, c, dom, &p)) < 0)
		return rc;
	if (o->paused)
		return 0;
	rc = xc_domain_unpause(s->xc, dom);
	return rc < 0 ? serai_fail_xc(s, rc, "%s: cannot be started", c->name) : 0;
}

int domain_create(struct serai *s, struct domain_config *c, const struct create_options *o, domid_t *dom)
{
	struct images images = {0};
	int rc;

	if (strcmp(c->type, "pv"))
		return serai_fail(s, -EOPNOTSUPP, "%s: type = \"%s\": only PV domains can be created",
				  c->name, c->type);
	if (!c->has_uuid) {
		uuid_random(c->uuid);
		c->has_uuid = true;
	}
	if ((rc = name_is_free(s, c)) < 0 || (!o->build && (rc = images_load(s, c, &images)) < 0) ||
	    (rc = memory_check(s, c->mem_kib + memory_overhead_kib(c))) < 0 ||
	    (rc = hypervisor_create(s, c, dom)) < 0)
		goto out;
	if (o->created)
		o->created(o->created_arg, *dom);
	rc = domain_fill(s, c, o, *dom, &images);
	if (rc < 0) {
		struct serai undo = *s; /* the cause must survive the clean-up */

		domain_destroy(&undo, *dom);
		record_remove(s, *dom, c->uuid);
	}
out:
	images_free(&images);
	return rc;
}

int domain_plan(struct serai *s, const struct domain_config *c, struct create_plan *p)
{
	struct xen_sysctl_physinfo ph;
	struct images i;
	int rc;

	memset(p, 0, sizeof(*p));
	p->guest_kib = c->mem_kib;
	p->overhead_kib = memory_overhead_kib(c);
	/* What a boot loader would find is not looked for: a plan changes nothing and starts nothing. */
	if (c->kernel && !c->bootloader) {
		rc = images_load(s, c, &i);
		if (rc < 0)
			return rc;
		p->kernel_kib = (i.kernel.k.pend - i.kernel.k.pstart) >> 10;
		p->ramdisk_kib = i.ramdisk_len >> 10;
		images_free(&i);
	}
	if (s->xc && xc_physinfo(s->xc, &ph) == 0)
		p->free_kib = ph.free_pages * 4;
	return 0;
}

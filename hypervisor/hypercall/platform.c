/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HYPERVISOR_platform_op (docs/abi/platform.md): what only the hardware domain may ask of the
 * machine. The structure is copied in once, the operation works on the copy, and the copy goes back
 * on success.
 */
#include <apic.h>
#include <hypercall.h>
#include <io.h>
#include <lib.h>
#include <power.h>
#include <sched.h>
#include <smp.h>
#include <time.h>
#include <uaccess.h>
#include <xen/platform.h>

#include "platform.h"

static long op_settime32(struct xen_platform_op *op)
{
	const struct xenpf_settime32 *t = &op->u.settime32;

	time_set_wallclock(t->secs, t->nsecs, t->system_time);
	return 0;
}

static long op_settime64(struct xen_platform_op *op)
{
	const struct xenpf_settime64 *t = &op->u.settime64;

	if (t->mbz)
		return -EINVAL;
	time_set_wallclock(t->secs, t->nsecs, t->system_time);
	return 0;
}

/* BIOS data area: keyboard shift flags (40:17). */
static u8 bios_kbd_flags(void)
{
	const u8 *p = vmap_ram(0x417, 1);
	u8 v = p ? *p : 0;

	if (p)
		vunmap(p, 1);
	return v;
}

/* There is no disk or display information from the firmware: the boot loader passes on none. */
static long op_firmware_info(struct xen_platform_op *op)
{
	struct xenpf_firmware_info *i = &op->u.firmware_info;

	switch (i->type) {
	case XEN_FW_DISK_INFO:
	case XEN_FW_DISK_MBR_SIGNATURE:
	case XEN_FW_VBEDDC_INFO:
		return -ESRCH;
	case XEN_FW_EFI_INFO:
		return efi_firmware_info(i);
	case XEN_FW_KBD_SHIFT_FLAGS:
		if (efi_booted())
			return -ESRCH;
		i->u.kbd_shift_flags = bios_kbd_flags();
		return 0;
	default:
		return -EINVAL;
	}
}

static long op_enter_acpi_sleep(struct xen_platform_op *op)
{
	const struct xenpf_enter_acpi_sleep *s = &op->u.enter_acpi_sleep;

	/* The sleep registers of hardware-reduced ACPI are not driven. */
	if (s->flags & XENPF_ACPI_SLEEP_EXTENDED)
		return -EPERM;
	if (s->flags || s->sleep_state < 1 || s->sleep_state > 5)
		return -EINVAL;
	/* Nor are suspend to RAM and the lighter states. */
	if (s->sleep_state != 5)
		return -EOPNOTSUPP;
	printk("Preparing system for ACPI S5 state.\n");
	power_set_s5(s->val_a, s->val_b);
	machine_power_off();
}

static long op_getidletime(struct xen_platform_op *op)
{
	struct xenpf_getidletime *g = &op->u.getidletime;
	unsigned int nr = min(g->cpumap_nr_cpus, nr_cpu_ids);
	struct vcpu_runstate_info rs;
	u8 map[NR_CPUS / 8] = {0};

	if (copy_from_guest_va(map, (u64)g->cpumap_bitmap.p, (nr + 7) / 8))
		return -EFAULT;
	for (unsigned int cpu = 0; cpu < nr; cpu++) {
		if (!(map[cpu / 8] >> (cpu % 8) & 1))
			continue;
		if (cpumask_test(cpu, &cpu_online_map) && idle_domain->vcpus[cpu]) {
			vcpu_runstate_get(idle_domain->vcpus[cpu], &rs);
			if (copy_to_guest_h_off(g->idletime, cpu, &rs.time[RUNSTATE_running], 1))
				return -EFAULT;
		} else {
			map[cpu / 8] &= (u8) ~(1U << (cpu % 8));
		}
	}
	g->now = now();
	return copy_to_guest_va((u64)g->cpumap_bitmap.p, map, (nr + 7) / 8);
}

static unsigned int highest_present(void)
{
	unsigned int cpu, last = 0;

	for_each_cpu(cpu, &cpu_present_map)
		last = cpu;
	return last;
}

static long op_get_cpuinfo(struct xen_platform_op *op)
{
	struct xenpf_pcpuinfo *p = &op->u.pcpu_info;

	p->max_present = highest_present();
	p->flags = 0;
	if (p->xen_cpuid >= NR_CPUS || !cpumask_test(p->xen_cpuid, &cpu_present_map)) {
		p->flags = XEN_PCPU_FLAGS_INVALID;
		return 0;
	}
	if (cpumask_test(p->xen_cpuid, &cpu_online_map))
		p->flags |= XEN_PCPU_FLAGS_ONLINE;
	p->apic_id = cpu_apic_id[p->xen_cpuid];
	p->acpi_id = cpu_acpi_id[p->xen_cpuid];
	return 0;
}

static long op_get_cpu_version(struct xen_platform_op *op)
{
	struct xenpf_pcpu_version *p = &op->u.pcpu_version;
	struct cpu_signature s;

	if (p->xen_cpuid >= NR_CPUS || !cpumask_test(p->xen_cpuid, &cpu_present_map)) {
		memset(p->vendor_id, 0, sizeof(p->vendor_id));
		p->family = p->model = p->stepping = 0;
	} else {
		cpu_signature(&s);
		memcpy(p->vendor_id, s.vendor, sizeof(p->vendor_id));
		p->family = s.family;
		p->model = s.model;
		p->stepping = s.stepping;
	}
	p->max_present = highest_present();
	return 0;
}

static long op_cpu_online(struct xen_platform_op *op)
{
	unsigned int cpu = op->u.cpu_ol.cpuid;

	if (cpu >= NR_CPUS || !cpumask_test(cpu, &cpu_present_map))
		return -EINVAL;
	return cpumask_test(cpu, &cpu_online_map) ? 0 : cpu_up(cpu);
}

static long op_cpu_offline(struct xen_platform_op *op)
{
	unsigned int cpu = op->u.cpu_ol.cpuid;

	if (cpu >= NR_CPUS || !cpumask_test(cpu, &cpu_present_map))
		return -EINVAL;
	if (cpu == 0)
		return -EOPNOTSUPP;
	return cpumask_test(cpu, &cpu_online_map) ? cpu_down(cpu) : 0;
}

static long op_set_processor_pminfo(struct xen_platform_op *op)
{
	(void)op;
	return -EINVAL; /* no frequency or sleep-state driver to feed */
}

static long op_core_parking(struct xen_platform_op *op)
{
	struct xenpf_core_parking *p = &op->u.core_parking;

	if (p->type == XEN_CORE_PARKING_GET) {
		p->idle_nums = 0;
		return 0;
	}
	return p->type == XEN_CORE_PARKING_SET ? -EOPNOTSUPP : -EINVAL;
}

static void read_tsc_here(void *val)
{
	*(u64 *)val = rdtsc();
}

/* Of all MSRs only the TSC may be read this way; an entry that is refused says so in its result. */
static long op_resource_op(struct xen_platform_op *op)
{
	const struct xenpf_resource_op *r = &op->u.resource_op;
	struct xenpf_resource_entry e;
	cpumask_t mask;
	u32 i;

	if (!r->nr_entries || r->nr_entries > 3 || r->cpu >= NR_CPUS ||
	    !cpumask_test(r->cpu, &cpu_online_map))
		return r->nr_entries ? -EINVAL : 0;
	cpumask_clear(&mask);
	cpumask_set(r->cpu, &mask);
	for (i = 0; i < r->nr_entries; i++) {
		if (copy_from_guest_h_off(&e, r->entries, i, 1))
			return -EFAULT;
		if (e.rsvd)
			e.u.ret = -EINVAL;
		else if (e.u.cmd != XEN_RESOURCE_OP_MSR_READ || e.idx != 0x10)
			e.u.ret = -EPERM;
		else {
			smp_call(&mask, read_tsc_here, &e.val);
			e.u.ret = 0;
		}
		if (copy_to_guest_h_off(r->entries, i, &e, 1))
			return -EFAULT;
	}
	return (long)i;
}

static long op_get_symbol(struct xen_platform_op *op)
{
	struct xenpf_symdata *s = &op->u.symdata;
	char name[128];
	u32 len;

	if (!symbol_nth(s->symnum, &s->address, &s->type, name, sizeof(name))) {
		if (s->symnum > symbol_count())
			return -ERANGE;
		s->namelen = 0;
		return 0; /* symnum as it was: the end */
	}
	len = (u32)strlen(name);
	if (copy_to_guest_h(s->name, name, min(len + 1, s->namelen)))
		return -EFAULT;
	s->namelen = len;
	s->symnum++;
	return 0;
}

/* No service calls into the firmware, no microcode loading, and MTRRs are nobody's business but
 * ours. */
#define op_efi_runtime_call NULL
#define op_microcode_update NULL
#define op_add_memtype NULL
#define op_del_memtype NULL
#define op_read_memtype NULL
#define op_change_freq NULL

static long (*const ops[])(struct xen_platform_op *op) = {
#define ROW(nr, nm) [nr] = op_##nm,
#define OP(family, nr, name, type, dir, priv, restart) ROW(nr, name)
#include <def/platform.def>
#undef OP
};

long do_platform_op(u64 uarg, u64 a2, u64 a3, u64 a4, u64 a5)
{
	struct xen_platform_op op;
	unsigned int cmd;
	long rc;

	(void)a2;
	(void)a3;
	(void)a4;
	(void)a5;
	if (hc_permit(HC_HARDWARE, NULL))
		return -EPERM;
	if (copy_from_guest_va(&op, uarg, sizeof(op)))
		return -EFAULT;
	if (op.interface_version != XENPF_INTERFACE_VERSION)
		return -EACCES;
	cmd = op.cmd;
	if (cmd >= ARRAY_SIZE(ops) || !ops[cmd])
		return -ENOSYS;
	rc = ops[cmd](&op);
	if (rc >= 0 && copy_to_guest_va(uarg, &op, sizeof(op)))
		rc = -EFAULT;
	return rc;
}

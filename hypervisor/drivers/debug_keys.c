/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Debug keys: one letter typed on the serial line (after switching input) or sent by `xl
 * debug-keys`. Rooms register theirs; the ones for state that has no single home are here.
 * Registered before interrupts, so the table needs no lock.
 */
#include <console.h>
#include <domain.h>
#include <event.h>
#include <grant.h>
#include <irq.h>
#include <lib.h>
#include <mm.h>
#include <power.h>
#include <sched.h>
#include <smp.h>
#include <time.h>

static struct {
	const char *help;
	void (*fn)(void);
} keys[128];

void debug_key_register(char c, const char *help, void (*fn)(void))
{
	if ((u8)c < ARRAY_SIZE(keys)) {
		keys[(u8)c].help = help;
		keys[(u8)c].fn = fn;
	}
}

static void key_help(void)
{
	printk("Debug keys:\n");
	for (unsigned int i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].fn)
			printk(" %c: %s\n", (char)i, keys[i].help);
}

static void key_events(void)
{
	struct domain *d;

	list_for_each(d, &domain_list, list)
		evtchn_dump(d);
}

static void key_grants(void)
{
	struct domain *d;

	list_for_each(d, &domain_list, list)
		grant_dump(d);
}

static void key_domains(void)
{
	struct domain *d;
	struct vcpu *v;

	printk("Domains at %lu ns:\n", now());
	list_for_each(d, &domain_list, list) {
		printk("d%u: refs %d dying %d paused %d/%d pages %u/%u%s%s\n", d->id, d->refcount, d->dying,
		       d->pause_count, d->controller_pause_count, d->mm ? d->mm->tot_pages : 0,
		       d->mm ? d->mm->max_pages : 0, d->is_shut_down ? " shut down" : "",
		       d->is_control ? " control" : "");
		for_each_vcpu(d, v)
			printk("  v%u: cpu %u %s flags %#lx paused %d events pending %u mask %u\n", v->id,
			       v->cpu, v->running ? "running" : "not running", v->pause_flags, v->pause_count,
			       v->vcpu_info ? v->vcpu_info->evtchn_upcall_pending : 0,
			       v->vcpu_info ? v->vcpu_info->evtchn_upcall_mask : 0);
	}
}

static void key_memory(void)
{
	printk("Memory: %lu of %lu MiB free\n", mm_free_frames() >> 8, mm_total_frames() >> 8);
}

static void key_dom0_regs(void)
{
	struct vcpu *v;

	if (!dom0)
		return;
	for_each_vcpu(dom0, v) {
		printk("d0v%u on CPU %u:\n", v->id, v->cpu);
		dump_regs(&v->regs);
	}
}

/* Each CPU in turn, so that the dumps do not mix. */
static void dump_this_cpu(void *arg)
{
	const struct vcpu *v = current;

	(void)arg;
	if (v && !v->is_idle)
		dump_regs(&v->regs);
	else
		printk("CPU %u: idle\n", smp_processor_id());
}

static void key_cpu_regs(void)
{
	unsigned int cpu;
	cpumask_t one;

	for_each_online_cpu(cpu) {
		cpumask_clear(&one);
		cpumask_set(cpu, &one);
		smp_call(&one, dump_this_cpu, NULL);
	}
}

static void key_time(void)
{
	printk("TSC %lu kHz, system time %lu ns, TSC %#lx\n", cpu_khz, now(), rdtsc());
}

static void key_reboot(void)
{
	printk("Reboot by debug key\n");
	machine_restart();
}

static void key_crash(void)
{
	panic("Crash by debug key");
}

void debug_keys_init(void)
{
	debug_key_register('h', "show this help", key_help);
	debug_key_register('e', "event channels", key_events);
	debug_key_register('g', "grant tables", key_grants);
	debug_key_register('i', "interrupts", irq_dump);
	debug_key_register('q', "domains and vCPUs", key_domains);
	debug_key_register('r', "run queues", sched_dump);
	debug_key_register('m', "memory", key_memory);
	debug_key_register('0', "dom0 registers", key_dom0_regs);
	debug_key_register('d', "registers of every CPU", key_cpu_regs);
	debug_key_register('t', "clocks", key_time);
	debug_key_register('R', "reboot the machine", key_reboot);
	debug_key_register('C', "crash the hypervisor", key_crash);
}

void debug_key(char c)
{
	if ((u8)c < ARRAY_SIZE(keys) && keys[(u8)c].fn)
		keys[(u8)c].fn();
	else
		printk(XLOG_INFO "No debug key '%c': 'h' lists them\n", c);
}

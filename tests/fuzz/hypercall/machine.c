/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making and ending the machine of machine.h. */
#include "machine.h"
#include <event.h>
#include <grant.h>
#include <lib.h>
#include <rangeset.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <uaccess.h>

struct machine machine;
u8 args_memory[ARGS_SIZE];
static u64 free_at_start;

#define must(c)                                                       \
	do {                                                          \
		if (!(c)) {                                           \
			fprintf(stderr, "machine: not so: %s\n", #c); \
			abort();                                      \
		}                                                     \
	} while (0)

static void machine_once(void)
{
	max_mfn = MACHINE_FRAMES;
	direct_map = aligned_alloc(PAGE_SIZE, MACHINE_FRAMES * PAGE_SIZE);
	frame_table = calloc(MACHINE_FRAMES, sizeof(*frame_table));
	m2p_table = calloc(MACHINE_FRAMES, sizeof(*m2p_table));
	must(direct_map && frame_table && m2p_table);
	memset(direct_map, 0xa5, MACHINE_FRAMES * PAGE_SIZE);
	frame_table[0].refs = FREF_HOLE;
	frame_table[0].owner = FRAME_NO_OWNER;
	pte_reserved = PTE_ADDR_MASK & ~(BIT(40) - 1);
	buddy_add_range(1, MACHINE_FRAMES);
	dom_io = domain_create_system(DOMID_IO);
	dom_xen = domain_create_system(DOMID_XEN);
	hypercalls_init();
}

/* Frames 0..3 become L4..L1; the L1 maps the others writable. */
static void give_address_space(struct domain *d, const mfn_t *pool)
{
	const u64 flags = PTE_P | PTE_RW | PTE_US;

	for (unsigned int i = 0; i + 1 < POOL_MAPPED; i++)
		*(u64 *)map_frame(pool[i]) = pte_make(pool[i + 1], flags);
	for (unsigned int i = POOL_MAPPED; i < POOL; i++)
		((u64 *)map_frame(pool[POOL_MAPPED - 1]))[i] = pte_make(pool[i], flags);
	must(!pv_set_guest_tables(d->vcpus[0], pool[0], INVALID_MFN));
	must(!pv_set_guest_tables(d->vcpus[1], pool[0], INVALID_MFN));
}

static void start_domain(unsigned int i)
{
	struct domain_config cfg = {
		.max_vcpus = VCPUS_EACH,
		.max_evtchn_port = i == 1 ? 6000 : 1023,
		.max_grant_frames = 4,
		.max_maptrack_frames = 2,
		.privileged = !i,
	};
	struct domain *d;
	int err = 0;

	d = domain_create((domid_t)i, &cfg, &err);
	must(d && domain_get(d));
	machine.d[i] = d;
	d->mm->max_pages = POOL + 16;
	must(!i || !iorange_add(&d->irq_caps, 3 + i, 16 + i));
	for (unsigned int n = 0; n < VCPUS_EACH; n++) {
		struct vcpu *v = vcpu_create(d, n);

		must(v);
		v->cpu = n % 2;
		if (n + 1 == VCPUS_EACH)
			break;
		v->initialised = true;
		v->pause_flags = 0;
	}
	for (unsigned int n = 0; n < POOL; n++)
		machine.pool[i][n] = frame_to_mfn(alloc_frames(d, 0, 0));
	give_address_space(d, machine.pool[i]);
	d->controller_pause_count = 0;
	d->creation_finished = true;
}

void machine_start(void)
{
	if (!direct_map)
		machine_once();
	free_at_start = mm_free_frames();
	machine = (struct machine){0};
	machine_preempt = machine_dice = 0;
	machine_now = 1000000;
	machine_irqs_init();
	memset(args_memory, 0, sizeof(args_memory));
	for (unsigned int i = 0; i < NR_DOMAINS; i++)
		start_domain(i);
	dom0 = machine.d[0];
	current = dom0->vcpus[0];
}

void machine_kill(unsigned int i)
{
	struct vcpu *was = current;
	/* Whoever is current must be somebody else. */
	unsigned int by = i ? 0 : 1;
	int rc;

	current = machine.d[by]->vcpus[0];
	do
		rc = domain_kill(machine.d[i]);
	while (rc == -ERESTART);
	must(!rc);
	machine.killed[i] = true;
	machine_softirqs();
	current = was;
}

void machine_stop(void)
{
	static struct vcpu nobody;

	machine_preempt = 0;
	for (unsigned int i = NR_DOMAINS; i-- > 0;)
		if (!machine.killed[i])
			machine_kill(i);
	machine_check("the end");
	nobody.domain = dom_io;
	current = &nobody;
	for (unsigned int i = 0; i < NR_DOMAINS; i++) {
		must(machine.d[i]->refcount == 1);
		must(!machine.d[i]->mm->tot_pages);
		dom0 = i ? dom0 : NULL;
		domain_put(machine.d[i]);
	}
	must(mm_free_frames() == free_at_start);
	must(!buddy_claimed());
}

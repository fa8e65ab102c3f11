/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer: bytes become hypercalls of three domains on a small machine, made through the real handlers, and what
 * guests do to the pages they share with the hypervisor between them. After each, machine_check() judges.
 *
 * Operations and the sizes of their arguments are the rows of guest-headers/def; which fields are addresses, frames,
 * domains or ports is in shapes.c, so that a byte of input names a meaningful value, or a wild one. What an operation
 * takes from the input:
 *
 *   | row | who calls | elements | preemption, oddities | a byte or more for each field ... |
 *
 * --seeds=DIR writes inputs to begin with (hypercall/seeds.c) and ends.
 */
#include "hypercall/shapes.h"
#include <lib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/memory.h>
#include <xen/xen.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#define MAX_OPS 24
#define MAX_ELEMENTS 5U
#define MAX_RESTARTS 20000U
#define RIP 0x1000UL

extern hypercall_fn *hypercall_table[NR_HYPERCALLS];

static long enter(unsigned int nr, const u64 a[5])
{
	return hypercall_table[nr](a[0], a[1], a[2], a[3], a[4]);
}

/* What a guest may be answered; anything else below zero escaped from the inside. */
static void check_answer(const char *name, long rc)
{
	static const int errnos[] = {EPERM,  ENOENT, ESRCH,   ENXIO,  EAGAIN,    ENOMEM,
				     EACCES, EFAULT, EBUSY,   EEXIST, ENODEV,    EINVAL,
				     ENOSPC, ENOSYS, ENODATA, ERANGE, EOPNOTSUPP};

	if (rc >= 0)
		return;
	for (unsigned int i = 0; i < ARRAY_SIZE(errnos); i++)
		if (rc == -errnos[i])
			return;
	fprintf(stderr, "%s answers %ld\n", name, rc);
	abort();
}

/* A call with its restarts. One that starts again without end and without change has stopped making progress. */
static void make_call(const char *name, unsigned int nr, const u64 args[5])
{
	struct regs *r = &current->regs;
	u64 a[5];
	long rc;

	memcpy(a, args, sizeof(a));
	for (unsigned int i = 0; i < MAX_RESTARTS; i++) {
		r->rax = nr;
		r->rip = RIP;
		r->rdi = a[0], r->rsi = a[1], r->rdx = a[2], r->r10 = a[3], r->r8 = a[4];
		rc = enter(nr, a);
		machine_softirqs();
		if (r->rip == RIP) {
			check_answer(name, rc);
			return;
		}
		a[0] = r->rdi, a[1] = r->rsi, a[2] = r->rdx, a[3] = r->r10, a[4] = r->r8;
		if (current->domain->dying)
			return;
	}
	fprintf(stderr, "%s is restarted for ever: %#lx %#lx %#lx %#lx\n", name, a[0], a[1], a[2], a[3]);
	abort();
}

/* Whoever is named, if it can make calls; a domain that shut down is resumed by its controller. */
static struct vcpu *caller(u8 who)
{
	struct vcpu *v = NULL;

	for (unsigned int i = 0; i < NR_DOMAINS * VCPUS_EACH; i++) {
		unsigned int n = (who + i) % (NR_DOMAINS * VCPUS_EACH);
		struct domain *d = machine.d[n / VCPUS_EACH];

		if (machine.killed[n / VCPUS_EACH])
			continue;
		if (d->is_shut_down)
			domain_resume(d);
		v = d->vcpus[n % VCPUS_EACH];
		if (v->initialised && !(v->pause_flags & BIT(VPF_DOWN)))
			return v;
	}
	return NULL;
}

static void one_operation(struct input *in)
{
	const struct row *row = &rows[take(in) % nr_rows];
	struct vcpu *v = caller(take(in));
	unsigned int nr = take(in), odd = take(in);
	u64 args[5] = {0};

	if (!v)
		return;
	current = v;
	fuzz_cpu.cpu = v->cpu;
	vcpu_unblock(v);
	/* Often never, sometimes always. */
	machine_preempt = odd & 0x80 ? (odd & 0x7f) * 2 + 2 : 0;
	machine_now += 1000 * (odd & 0x7f);
	/* The hardware domain's shutdown is the machine's, and does not return. */
	machine.d[0]->is_hardware = !row_may_shut_down(row);
	if (row->act) {
		row->act(in, nr);
	} else {
		unsigned int elements = nr % (MAX_ELEMENTS + 1);

		if (elements * row->size > PAGE_SIZE)
			elements = 1;
		lists_fill(in, odd & 0x80 ? 0 : odd & 3);
		for (unsigned int i = 0; i < elements; i++)
			shape_fill(in, row, &args_memory[i * row->size]);
		row_args(row, in, nr, args);
		make_call(row->name, row->call, args);
		for (unsigned int i = 0; row->call == CALL_MULTICALL && i < elements; i++)
			check_answer(row->name, (long)((struct multicall_entry *)args_memory)[i].result);
	}
	machine_softirqs();
	machine_check(row->name);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = {data, size};

	machine_start();
	for (unsigned int i = 0; i < MAX_OPS && in.size; i++)
		one_operation(&in);
	machine_stop();
	return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *option = "--seeds=";

	if (*argc < 2 || strncmp((*argv)[1], option, strlen(option)))
		return 0;
	exit(seeds_write((*argv)[1] + strlen(option)));
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of each file as one case, so that a group that dies does not cost the others. */
#include "bench.h"

uint32_t samples[SAMPLES];
static uint32_t null_sample;

static void sort(uint32_t *a, unsigned int n)
{
	unsigned int gap, i, j;

	for (gap = n / 2; gap; gap /= 2)
		for (i = gap; i < n; i++) {
			uint32_t v = a[i];

			for (j = i; j >= gap && a[j - gap] > v; j -= gap)
				a[j] = a[j - gap];
			a[j] = v;
		}
}

void row(const char *name, unsigned int n)
{
	sort(samples, n);
	printk("SG row %s %u %u\n", name, samples[n / 2] - null_sample, samples[0] - null_sample);
}

void no_row(const char *name, long why)
{
	printk("SG row %s error %ld\n", name, why);
}

CASE(calibration)
{
	static char a[4096], b[4096];
	unsigned int i;

	for (i = 0; i < SAMPLES; i++) {
		uint32_t t = tick();

		samples[i] = tick() - t;
	}
	sort(samples, SAMPLES);
	null_sample = samples[SAMPLES / 2];
	printk("SG row cal_null %u %u\n", null_sample, samples[0]);
	MEASURE("cal_nop100", , __asm__ volatile(".rept 100\n nop\n .endr"));
	MEASURE("cal_loop20001", , __asm__ volatile("mov $10000, %%ecx\n 1: dec %%ecx\n jnz 1b" ::: "ecx"));
	MEASURE("cal_rep_movsb_4096", , {
		void *d = b;
		const void *s = a;
		unsigned long c = 4096;

		__asm__ volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(c)::"memory");
	});
	MEASURE("cal_rep_stosq_512", , {
		void *d = b;
		unsigned long c = 512;

		__asm__ volatile("rep stosq" : "+D"(d), "+c"(c) : "a"(0) : "memory");
	});
}

CASE(calls)
{
	bench_calls();
}

CASE(traps)
{
	bench_traps();
}

CASE(user)
{
	bench_user();
}

CASE(mm)
{
	bench_mm();
}

CASE(events)
{
	bench_events();
}

CASE(grants)
{
	bench_grants();
}

CASE(vcpus)
{
	bench_vcpus();
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options about dom0's size: dom0_mem, dom0_max_vcpus, dom0_vcpus_pin. */
#include "dom0.h"
#include <cpumask.h>
#include <lib.h>
#include <options.h>
#include <xerrno.h>

/* Bytes; a negative amount counts down from all memory. 0: not given. */
static s64 mem_exact, mem_min, mem_max = INT64_MAX;
static unsigned int vcpus_min = 1, vcpus_max;
bool dom0_pin_vcpus;

static int parse_amount(const char *s, const char **end, s64 *out)
{
	bool negative = *s == '-';
	u64 v;

	if (option_size(s + negative, end, &v) || v > INT64_MAX)
		return -EINVAL;
	*out = negative ? -(s64)v : (s64)v;
	return 0;
}

/* dom0_mem=<size>[,min:<size>][,max:<size>] */
static int parse_dom0_mem(const char *s)
{
	s64 *what;

	for (;;) {
		what = &mem_exact;
		if (!strncmp(s, "min:", 4)) {
			what = &mem_min;
			s += 4;
		} else if (!strncmp(s, "max:", 4)) {
			what = &mem_max;
			s += 4;
		}
		if (parse_amount(s, &s, what))
			return -EINVAL;
		if (*s != ',')
			return *s ? -EINVAL : 0;
		s++;
	}
}
OPTION("dom0_mem", parse_dom0_mem);

/* dom0_max_vcpus=<n> or <min>-<max> */
static int parse_dom0_max_vcpus(const char *s)
{
	const char *dash = strchr(s, '-');
	char low[16];

	if (!dash) {
		if (option_uint(s, &vcpus_max) || !vcpus_max)
			return -EINVAL;
		vcpus_min = vcpus_max;
		return 0;
	}
	if ((size_t)(dash - s) >= sizeof(low))
		return -EINVAL;
	memcpy(low, s, (size_t)(dash - s));
	low[dash - s] = 0;
	if ((low[0] && option_uint(low, &vcpus_min)) || (dash[1] && option_uint(dash + 1, &vcpus_max)))
		return -EINVAL;
	return 0;
}
OPTION("dom0_max_vcpus", parse_dom0_max_vcpus);

static int parse_pin(const char *s)
{
	return option_bool(s, &dom0_pin_vcpus);
}
OPTION("dom0_vcpus_pin", parse_pin);

unsigned int dom0_vcpu_count(void)
{
	unsigned int n = cpumask_weight(&cpu_online_map);

	n = max(n, vcpus_min);
	if (vcpus_max)
		n = min(n, vcpus_max);
	return min(max(n, 1U), (unsigned int)NR_CPUS);
}

static s64 pages_of(s64 bytes, u64 avail)
{
	return bytes == INT64_MAX ? INT64_MAX : bytes / (s64)PAGE_SIZE + (bytes < 0 ? (s64)avail : 0);
}

u64 dom0_page_count(u64 avail, u64 *max_pages)
{
	s64 max_p = pages_of(mem_max, avail), min_p = pages_of(mem_min, avail), n;
	/* What the hypervisor and other domains' start need stays out: a sixteenth, at most 128 MiB. */
	s64 keep = (s64)min(avail / 16, (128UL << 20) >> PAGE_SHIFT);

	n = mem_exact ? pages_of(mem_exact, avail) : (s64)avail - keep;
	n = min(max(n, min_p), max_p);
	*max_pages = max_p == INT64_MAX ? UINT32_MAX : (u64)max(max_p, n);
	return n < 0 ? 0 : (u64)n;
}

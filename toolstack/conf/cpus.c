/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CPU lists: "all", "none", "0-3,8,^2". Later terms add to or (with ^) take from what came before.
 */
#include "model.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put(uint8_t *map, unsigned int cpu, bool on)
{
	if (on)
		map[cpu / 8] |= 1u << cpu % 8;
	else
		map[cpu / 8] &= ~(1u << cpu % 8);
}

static int term(const char *s, size_t len, uint8_t *map, unsigned int bits)
{
	bool on = true;
	unsigned long first, last;
	char t[32], *end;

	if (len && *s == '^') {
		on = false;
		s++;
		len--;
	}
	if (!len || len >= sizeof(t))
		return -EINVAL;
	memcpy(t, s, len);
	t[len] = 0;
	if (!strcmp(t, "all") || !strcmp(t, "-")) {
		first = 0;
		last = bits - 1;
	} else if (!strcmp(t, "none")) {
		return 0;
	} else {
		char *p = t;

		/* One NUMA node is all the hosts we drive report to PV placement: node:0 is every CPU. */
		if (!strncmp(p, "nodes:", 6) || !strncmp(p, "node:", 5)) {
			p = strchr(p, ':') + 1;
			if (strcmp(p, "0"))
				return -ENOTSUP;
			first = 0;
			last = bits - 1;
		} else {
			if (!isdigit((unsigned char)*p))
				return -EINVAL;
			first = last = strtoul(p, &end, 10);
			if (*end == '-') {
				if (!isdigit((unsigned char)end[1]))
					return -EINVAL;
				last = strtoul(end + 1, &end, 10);
			}
			if (*end || last < first)
				return -EINVAL;
		}
	}
	if (first >= bits)
		return -ERANGE;
	for (unsigned long i = first; i <= last && i < bits; i++)
		put(map, i, on);
	return 0;
}

int cpus_parse(const char *expr, uint8_t *map, unsigned int bits)
{
	const char *s = expr;

	memset(map, 0, (bits + 7) / 8);
	for (;;) {
		size_t n = strcspn(s, ",");
		size_t a = 0, b = n;
		int rc;

		while (a < b && isspace((unsigned char)s[a]))
			a++;
		while (b > a && isspace((unsigned char)s[b - 1]))
			b--;
		rc = term(s + a, b - a, map, bits);
		if (rc < 0)
			return rc;
		if (!s[n])
			return 0;
		s += n + 1;
	}
}

void cpus_format(const uint8_t *map, unsigned int bits, unsigned int online, char *out, size_t len)
{
	unsigned int set = 0, i = 0;
	size_t used = 0;

	for (unsigned int k = 0; k < online; k++)
		set += map[k / 8] >> k % 8 & 1;
	if (online && set == online) {
		snprintf(out, len, "all");
		return;
	}
	out[0] = 0;
	while (i < bits) {
		unsigned int from = i;

		if (!(map[i / 8] >> i % 8 & 1)) {
			i++;
			continue;
		}
		while (i + 1 < bits && map[(i + 1) / 8] >> (i + 1) % 8 & 1)
			i++;
		if (used < len)
			used += i == from ? snprintf(out + used, len - used, "%s%u", used ? "," : "", from)
					  : snprintf(out + used, len - used, "%s%u-%u", used ? "," : "", from,
						     i);
		i++;
	}
	if (!out[0])
		snprintf(out, len, "none");
}

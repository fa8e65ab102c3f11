/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inputs to begin with: one for every row, and sequences that a fuzzer would be long in finding, because one call
 * must name what another one made.
 */
#include "shapes.h"
#include <lib.h>
#include <stdio.h>
#include <stdlib.h>

#define SEED_MAX 128U

/* Who calls (a domain's number times VCPUS_EACH), elements, oddities; then the fields as shapes.c has them. */
struct step {
	const char *row;
	u8 n, bytes[16];
};
#define STEP(row, ...)                             \
	{                                          \
#row, sizeof((u8[]){__VA_ARGS__}), \
		{                                  \
			__VA_ARGS__                \
		}                                  \
	}
#define DOM0 0
#define DOM1 3
#define SELF 3
#define UNMAP_PAGE(who, page) STEP(CALL_UPDATE_VA, who, 1, 0, page, 0, page, 0)
/* Domain 1 grants frame 10 to domain 0 as reference 0. */
#define GRANT STEP(write_grant, DOM1, 0, 0, 0, 0, 10)
#define GRANT_RO STEP(write_grant, DOM1, 0, 0, 4, 0, 10)

static const struct sequence {
	const char *name;
	struct step steps[6];
} sequences[] = {
	{"grant-map",
	 {GRANT, STEP(GNTTABOP_map_grant_ref, DOM0, 1, 0, 5, 2, 0, 1),
	  STEP(GNTTABOP_unmap_grant_ref, DOM0, 1, 0, 5, 0, 0)}},
	{"grant-map-read-only",
	 {GRANT_RO, STEP(GNTTABOP_map_grant_ref, DOM0, 1, 0, 5, 6, 0, 1),
	  STEP(GNTTABOP_unmap_grant_ref, DOM0, 1, 0, 5, 0, 0)}},
	{"grant-map-device",
	 {GRANT, STEP(GNTTABOP_map_grant_ref, DOM0, 1, 0, 5, 3, 0, 1),
	  STEP(GNTTABOP_unmap_grant_ref, DOM0, 1, 0, 5, 0, 0),
	  STEP(GNTTABOP_unmap_grant_ref, DOM0, 1, 0, 255, 128, 130, 0)}},
	{"grant-map-entry",
	 {GRANT, STEP(GNTTABOP_map_grant_ref, DOM0, 1, 0, 165, 18, 0, 1),
	  STEP(GNTTABOP_unmap_grant_ref, DOM0, 1, 0, 165, 0, 0)}},
	{"grant-replace",
	 {GRANT, STEP(GNTTABOP_map_grant_ref, DOM0, 1, 0, 5, 2, 0, 1),
	  STEP(GNTTABOP_unmap_and_replace, DOM0, 1, 0, 5, 6, 0)}},
	{"grant-kill",
	 {GRANT, STEP(GNTTABOP_map_grant_ref, DOM0, 1, 0, 5, 2, 0, 1), STEP(kill, DOM0, 0xf0, 0, 0)}},
	{"grant-copy-from", {GRANT, STEP(GNTTABOP_copy, DOM0, 1, 0, 1, 241, 0, 0, 1, 0, 10, SELF, 0, 70)}},
	{"grant-copy-to", {GRANT, STEP(GNTTABOP_copy, DOM0, 1, 0, 2, 10, SELF, 0, 241, 0, 0, 1, 0, 70)}},
	{"grant-transfer",
	 {STEP(write_grant, DOM1, 0x48, 0, 2, 0, 10), UNMAP_PAGE(DOM0, 10),
	  STEP(GNTTABOP_transfer, DOM0, 1, 0, 10, 1, 0)}},
	{"grant-version-2",
	 {STEP(GNTTABOP_set_version, DOM1, 1, 0, 2), GRANT,
	  STEP(GNTTABOP_map_grant_ref, DOM0, 1, 0, 5, 2, 0, 1), STEP(GNTTABOP_set_version, DOM1, 1, 0, 1)}},
	{"grant-wild",
	 {STEP(write_grant, DOM1, 0, 0, 0, 0, 241, 255, 255),
	  STEP(GNTTABOP_map_grant_ref, DOM0, 1, 0, 5, 2, 0, 1)}},
	{"memory-given-back",
	 {STEP(XENMEM_decrease_reservation, DOM1, 1, 0, 0, 2, 0, SELF),
	  STEP(XENMEM_decrease_reservation, DOM1, 1, 0, 0, 1, 0, SELF), UNMAP_PAGE(DOM1, 23)}},
	{"memory-populated",
	 {STEP(XENMEM_populate_physmap, DOM1, 1, 0, 96, 2, 1, 0, SELF),
	  STEP(XENMEM_decrease_reservation, DOM1, 1, 0, 96, 1, 1, SELF)}},
	{"exchange",
	 {UNMAP_PAGE(DOM0, 23), UNMAP_PAGE(DOM0, 22),
	  STEP(XENMEM_exchange, DOM0, 1, 0, 0, 2, 0, SELF, 96, 2, 0, SELF, 0)}},
	{"event-fifo",
	 {STEP(EVTCHNOP_init_control, DOM1, 1, 0, 10, 0, 0), STEP(EVTCHNOP_expand_array, DOM1, 1, 0, 11),
	  STEP(EVTCHNOP_bind_virq, DOM1, 1, 0, 0, 0), STEP(virq, DOM1, 0, 0, 0),
	  STEP(EVTCHNOP_unmask, DOM1, 1, 0, 1), STEP(EVTCHNOP_reset, DOM1, 1, 0, SELF)}},
	{"event-interdomain",
	 {STEP(EVTCHNOP_alloc_unbound, DOM1, 1, 0, SELF, 0),
	  STEP(EVTCHNOP_bind_interdomain, DOM0, 1, 0, 1, 1), STEP(EVTCHNOP_send, DOM0, 1, 0, 1),
	  STEP(EVTCHNOP_close, DOM1, 1, 0, 1)}},
	{"interrupt",
	 {STEP(EVTCHNOP_bind_pirq, DOM0, 1, 0, 18, 1), STEP(interrupt, DOM0, 0, 0, 17),
	  STEP(PHYSDEVOP_eoi, DOM0, 1, 0, 18)}},
	{"message",
	 {STEP(PHYSDEVOP_map_pirq, DOM0, 1, 0, SELF, 0, 0, 0, 0, 2, 0, 0),
	  STEP(PHYSDEVOP_unmap_pirq, DOM0, 1, 0, 0, 35)}},
	{"poll",
	 {STEP(EVTCHNOP_bind_ipi, DOM1, 1, 0, 0), STEP(SCHEDOP_poll, DOM1, 1, 0, 97, 1, 9),
	  STEP(timers, DOM1, 9, 0), STEP(EVTCHNOP_send, DOM1, 1, 0, 1)}},
	{"vcpu-info",
	 {STEP(VCPUOP_register_vcpu_info, DOM1, 1, 0, 10, 64),
	  STEP(VCPUOP_register_vcpu_info, DOM1, 1, 0, 11, 66)}},
	{"vcpu-info-overlap", {STEP(VCPUOP_register_vcpu_info, DOM1, 1, 0, 193, 24)}},
	{"vcpu",
	 {STEP(VCPUOP_initialise, DOM1, 13, 0, 0, 0, 0, 10, 4, 0, 0, 160, 0, 0),
	  STEP(VCPUOP_up, DOM1, 13, 0)}},
};

static unsigned int row_named(const char *name)
{
	unsigned int i = 0;

	while (i < nr_rows && strcmp(rows[i].name, name))
		i++;
	if (i == nr_rows)
		panic("no row %s\n", name);
	return i;
}

static int write_seed(const char *dir, const char *name, const u8 *seed, size_t n)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	if (!f || fwrite(seed, 1, n, f) != n || fclose(f)) {
		perror(path);
		return 1;
	}
	return 0;
}

/* The same operation by each domain, with fields that become larger; the second one is interrupted all the time. */
static int write_row(const char *dir, unsigned int row)
{
	u8 seed[3 * 24];

	for (unsigned int i = 0; i < sizeof(seed); i++)
		seed[i] = (u8)(i / 24 * 3 + i % 24 - 4);
	for (unsigned int i = 0; i < 3; i++) {
		seed[24 * i] = (u8)row;
		seed[24 * i + 1] = (u8)(VCPUS_EACH * i);
		seed[24 * i + 2] = 1;
		seed[24 * i + 3] = i == 1 ? 0xff : 0;
	}
	return write_seed(dir, rows[row].name, seed, sizeof(seed));
}

static int write_sequence(const char *dir, const struct sequence *s)
{
	u8 seed[SEED_MAX];
	unsigned int n = 0;

	for (const struct step *t = s->steps; t < &s->steps[ARRAY_SIZE(s->steps)] && t->row; t++) {
		seed[n++] = (u8)row_named(t->row);
		memcpy(&seed[n], t->bytes, t->n);
		n += t->n;
	}
	return write_seed(dir, s->name, seed, n);
}

int seeds_write(const char *dir)
{
	int rc = 0;

	for (unsigned int i = 0; i < nr_rows; i++)
		rc |= write_row(dir, i);
	for (unsigned int i = 0; i < ARRAY_SIZE(sequences); i++)
		rc |= write_sequence(dir, &sequences[i]);
	return rc;
}

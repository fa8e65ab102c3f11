/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From bytes to arguments. */
#ifndef FUZZ_SHAPES_H
#define FUZZ_SHAPES_H

#include "machine.h"

struct input {
	const u8 *data;
	size_t size;
};
/* The next byte; 0 when there is none left. */
static inline u8 take(struct input *in)
{
	if (!in->size)
		return 0;
	in->size--;
	return *in->data++;
}
void take_bytes(struct input *in, void *to, size_t n);

/* Numbers of top-level calls, by the names of families. */
enum {
	CALL_MMU = 1,
	CALL_SET_GDT = 2,
	CALL_SCHEDOP_COMPAT = 6,
	CALL_UPDATE_DESCRIPTOR = 10,
	CALL_XENMEM = 12,
	CALL_MULTICALL = 13,
	CALL_UPDATE_VA = 14,
	CALL_SET_TIMER = 15,
	CALL_EVTCHNOP_COMPAT = 16,
	CALL_XENVER = 17,
	CALL_CONSOLEIO = 18,
	CALL_PHYSDEVOP_COMPAT = 19,
	CALL_GNTTABOP = 20,
	CALL_UPDATE_VA_OTHER = 22,
	CALL_VCPUOP = 24,
	CALL_MMUEXT = 26,
	CALL_SCHEDOP = 29,
	CALL_EVTCHNOP = 32,
	CALL_PHYSDEVOP = 33,
	CALL_HVMOP = 34,
};

enum kind {
	K_END,
	K_RAW,
	K_SMALL, /* 0..255 */
	K_COUNT, /* mostly a few, sometimes absurd */
	K_DOM,   /* one of the domains, or what else is a domain number */
	K_VCPU,
	K_PORT,
	K_MFN,         /* of one's own frames, others', the hypervisor's, none at all */
	K_MADDR,       /* a machine address in one */
	K_MAYBE_MADDR, /* the same, often 0 */
	K_PTE,
	K_VA,   /* where one's own page tables map something */
	K_PTR,  /* handle: lists, results, anything */
	K_HOST, /* host_addr of a grant mapping */
	K_REF,  /* grant reference, handle */
	K_IRQ,
	K_ORDER,
};

struct field {
	u16 offset;
	u8 size, kind;
};

#define FIELDS_MAX 9

struct row {
	const char *name;
	unsigned int call; /* number of the top-level call */
	unsigned int cmd;
	u16 size;
	/* Not a call: something a guest or the machine does. */
	void (*act)(struct input *in, unsigned int how);
};
extern const struct row rows[];
extern const unsigned int nr_rows;

u64 value(struct input *in, enum kind kind);
/* One structure of the row's argument type. */
void shape_fill(struct input *in, const struct row *row, u8 *to);
/* The arrays handles point at: frames of the caller, or as the input says. */
void lists_fill(struct input *in, unsigned int how);
/* The registers of the call. */
void row_args(const struct row *row, struct input *in, unsigned int nr, u64 args[5]);

bool row_may_shut_down(const struct row *row);

/* seeds.c: 0, or 1 when a file could not be written. */
int seeds_write(const char *dir);

/* acts.c */
void act_write_grant(struct input *in, unsigned int how);
void act_write_shared(struct input *in, unsigned int how);
void act_write_own(struct input *in, unsigned int how);
void act_virq(struct input *in, unsigned int how);
void act_interrupt(struct input *in, unsigned int how);
void act_timers(struct input *in, unsigned int how);
void act_kill(struct input *in, unsigned int how);
void act_log_dirty(struct input *in, unsigned int how);
void act_ranges(struct input *in, unsigned int how);

#endif

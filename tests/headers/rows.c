/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every row of def names a constant of the public headers with the same number, a complete
 * type, and a direction that fits it. Compiling is the test; the output is the row count.
 */
#include <stdio.h>
#include <xen/callback.h>
#include <xen/domctl.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/hvm/hvm_op.h>
#include <xen/memory.h>
#include <xen/nmi.h>
#include <xen/physdev.h>
#include <xen/platform.h>
#include <xen/pmu.h>
#include <xen/sched.h>
#include <xen/sysctl.h>
#include <xen/vcpu.h>
#include <xen/version.h>
#include <xen/xen.h>

enum direction { NONE, IN, OUT, INOUT, ARRAY, RAW };
enum privilege { SELF, ANY, TARGET, CONTROL, HARDWARE };
enum restart { RESTART, NORESTART };

struct row {
	const char *name;
	enum direction direction;
	enum privilege privilege;
	enum restart restart;
};

#define IS_VOID(type) __builtin_types_compatible_p(type, void)
#define TAKES_NO_STRUCTURE(dir) ((dir) == NONE || (dir) == RAW)

#define HYPERCALL(number, name, page) _Static_assert(__HYPERVISOR_##name == (number), "hypercall " #name);
#define OP(family, number, name, type, dir, priv, restart)              \
	_Static_assert(family##_##name == (number), #family "_" #name); \
	_Static_assert(IS_VOID(type) == TAKES_NO_STRUCTURE(dir), "direction of " #name);
#include "all.def"
#undef OP
#undef HYPERCALL

#define HYPERCALL(number, name, page) {"hypercall " #name, RAW, ANY, NORESTART},
#define OP(family, number, name, type, dir, priv, restart) {#family "_" #name, dir, priv, restart},
static const struct row rows[] = {
#include "all.def"
};

int main(void)
{
	printf("%zu\n", sizeof(rows) / sizeof(rows[0]));
	return 0;
}

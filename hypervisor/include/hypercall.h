/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hypercalls. hypercall/dispatch.c holds the table of top-level calls; a family's file expands its
 * def/<family>.def rows into its own table and uses hypercall_family() to copy the argument in once,
 * check the declared permission, call the handler, and copy out.
 *
 * A handler that wants to be called again after a preemption returns -ERESTART having stored its progress
 * in the (hypervisor-owned) argument for INOUT rows, or via call_restart(). The one place that encodes
 * progress into guest registers is hypercall_restart() in dispatch.c.
 */
#ifndef SERAI_HYPERCALL_H
#define SERAI_HYPERCALL_H

#include <domain.h>
#include <types.h>
#include <xerrno.h>

enum hc_dir { HC_NONE, HC_IN, HC_OUT, HC_INOUT, HC_ARRAY, HC_RAW };
enum hc_priv {
	HC_SELF,     /* acts on the caller only */
	HC_ANY,      /* any caller; the handler checks what it names */
	HC_TARGET,   /* the domain named: itself, its controller, or the control domain */
	HC_CONTROL,  /* control domain */
	HC_HARDWARE, /* hardware domain */
};

/* The RESTART column of a def row. */
#define HC_RESTART true
#define HC_NORESTART false
/* Size of a row's argument; 0 for void. */
#define HC_SIZEOF(type) sizeof(*_Generic((type *)0, void * : (char(*)[0])0, default : (type *)0))

struct hc_row {
	const char *name;
	u16 size; /* bytes of the argument copied in and/or out */
	u8 dir, priv;
	bool restart;
	long (*fn)(void *arg); /* arg: hypervisor-owned copy; HC_RAW/ARRAY: (void *)guest address */
};

/* One OP() row of a def file as an entry of such a table; its handler is op_NAME (NULL: something else serves it). */
#define HC_ROW(row_name, type, direction, permission, again)                                                \
	{                                                                                                   \
		.name = #row_name, .size = HC_SIZEOF(type), .dir = HC_##direction, .priv = HC_##permission, \
		.restart = HC_##again, .fn = op_##row_name                                                  \
	}

/* Single entry of a family: cmd indexes rows; unknown or fn == NULL -> -ENOSYS. */
long hypercall_family(const struct hc_row *rows, unsigned int nr, unsigned int cmd, u64 uarg);
#define HC_ARG_MAX 1024
#define NR_HYPERCALLS 56
void hypercalls_init(void);

/* May the running domain act on d under this permission? 0 or -EPERM. One place (hypercall/permit.c). */
int hc_permit(enum hc_priv p, const struct domain *d);

/* Re-execute the current hypercall later with these arguments (rdi, rsi, rdx, r10, r8 order, nr of them
 * changed); the handler then returns the value this returns. Works inside a multicall too. */
long call_restart(unsigned int nr_args, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4);
/* Time to let go? Opens the interrupt window; true when something else is waiting for this CPU. */
bool hypercall_preempt_check(void);

/* The top-level calls, in families' own files. Arguments as in the ABI; a pointer is a guest address. */
typedef long hypercall_fn(u64 a1, u64 a2, u64 a3, u64 a4, u64 a5);
hypercall_fn do_set_trap_table, do_mmu_update, do_set_gdt, do_stack_switch, do_set_callbacks,
	do_fpu_taskswitch, do_platform_op, do_set_debugreg, do_get_debugreg, do_update_descriptor,
	do_memory_op, do_multicall, do_update_va_mapping, do_set_timer_op, do_xen_version, do_console_io,
	do_grant_table_op, do_vm_assist, do_update_va_mapping_otherdomain, do_iret, do_vcpu_op,
	do_set_segment_base, do_mmuext_op, do_xsm_op, do_sched_op, do_callback_op, do_event_channel_op,
	do_event_channel_op_compat, do_physdev_op, do_hvm_op, do_sysctl, do_domctl, do_kexec_op, do_mca,
	do_nmi_op, do_xenpmu_op;

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a PV kernel registers about itself: traps, callbacks, stack, segment bases, debug registers. */
#include <cpu.h>
#include <extable.h>
#include <hypercall.h>
#include <lib.h>
#include <mm.h>
#include <pv.h>
#include <uaccess.h>
#include <xen/callback.h>
#include <xen/nmi.h>

/* An address the guest may have code or data at: canonical and outside the hypervisor's range. */
static inline bool guest_address_ok(u64 a)
{
	return a < (1UL << 47) || a >= HV_VIRT_END;
}

long do_set_trap_table(u64 table, u64 a2, u64 a3, u64 a4, u64 a5)
{
	struct vcpu *v = current;
	struct trap_info t;

	if (!table) {
		memset(v->pv.traps, 0, sizeof(v->pv.traps));
		return 0;
	}
	/* Ends at the first entry without an address; 256 vectors bound it. */
	for (unsigned int i = 0; i <= 256; i++, table += sizeof(t)) {
		if (copy_from_guest_va(&t, table, sizeof(t)))
			return -EFAULT;
		if (!t.address)
			return 0;
		if (!guest_address_ok(t.address))
			return -EINVAL;
		pv_set_trap(v, &t);
	}
	return 0;
}

long do_stack_switch(u64 ss, u64 esp, u64 a3, u64 a4, u64 a5)
{
	struct vcpu *v = current;

	v->pv.kernel_ss = ss | 3;
	v->pv.kernel_sp = esp;
	return 0;
}

long do_set_callbacks(u64 event, u64 failsafe, u64 syscall, u64 a4, u64 a5)
{
	struct vcpu *v = current;

	if (!guest_address_ok(event) || !guest_address_ok(failsafe) || !guest_address_ok(syscall))
		return -EINVAL;
	v->pv.event_entry = event;
	v->pv.failsafe_entry = failsafe;
	v->pv.syscall_entry = syscall;
	v->pv.event_mask = 1;
	return 0;
}

/* The gate of vector 2, which a trap table sets as well. */
static void nmi_gate(struct vcpu *v, u64 address)
{
	v->pv.traps[X86_EXC_NMI] =
		address ? (struct pv_trap){.address = address, .cs = SEL_GUEST_CS64, .mask_events = 1}
			: (struct pv_trap){0};
}

static long callback_register(struct vcpu *v, const struct callback_register *c)
{
	u8 mask = !!(c->flags & CALLBACKF_mask_events);

	if (!guest_address_ok(c->address))
		return -EINVAL;
	switch (c->type) {
	case CALLBACKTYPE_event:
		v->pv.event_entry = c->address;
		v->pv.event_mask = mask;
		return 0;
	case CALLBACKTYPE_failsafe:
		v->pv.failsafe_entry = c->address;
		v->pv.failsafe_mask = mask;
		return 0;
	case CALLBACKTYPE_syscall:
		v->pv.syscall_entry = c->address;
		v->pv.syscall_mask = mask;
		return 0;
	case CALLBACKTYPE_syscall32:
		v->pv.syscall32_entry = c->address;
		v->pv.syscall32_mask = mask;
		return 0;
	case CALLBACKTYPE_sysenter:
		v->pv.sysenter_entry = c->address;
		v->pv.sysenter_mask = mask;
		return 0;
	case CALLBACKTYPE_nmi:
		if (v->id)
			return -EINVAL;
		nmi_gate(v, c->address);
		return 0;
	default:
		return -ENOSYS;
	}
}

static long callback_unregister(struct vcpu *v, const struct callback_unregister *c)
{
	switch (c->type) {
	case CALLBACKTYPE_event:
	case CALLBACKTYPE_failsafe:
	case CALLBACKTYPE_syscall:
	case CALLBACKTYPE_syscall32:
	case CALLBACKTYPE_sysenter:
		return -EINVAL;
	case CALLBACKTYPE_nmi:
		nmi_gate(v, 0);
		return 0;
	default:
		return -ENOSYS;
	}
}

static long op_register(void *arg)
{
	return callback_register(current, arg);
}
static long op_unregister(void *arg)
{
	return callback_unregister(current, arg);
}

long do_callback_op(u64 cmd, u64 uarg, u64 a3, u64 a4, u64 a5)
{
	static const struct hc_row rows[] = {
		[CALLBACKOP_register] = {"register", sizeof(struct callback_register), HC_IN, HC_SELF, false,
					 op_register},
		[CALLBACKOP_unregister] = {"unregister", sizeof(struct callback_unregister), HC_IN, HC_SELF,
					   false, op_unregister},
	};

	return hypercall_family(rows, ARRAY_SIZE(rows), (unsigned int)cmd, uarg);
}

static long nmi_register(void *arg)
{
	struct xennmi_callback *cb = arg;

	if (current->id || !guest_address_ok(cb->handler_address))
		return -EINVAL;
	nmi_gate(current, cb->handler_address);
	return 0;
}
static long nmi_unregister(void *arg)
{
	nmi_gate(current, 0);
	return 0;
}

long do_nmi_op(u64 cmd, u64 uarg, u64 a3, u64 a4, u64 a5)
{
	static const struct hc_row rows[] = {
		[XENNMI_register_callback] = {"register_callback", sizeof(struct xennmi_callback), HC_IN,
					      HC_SELF, false, nmi_register},
		[XENNMI_unregister_callback] = {"unregister_callback", 0, HC_NONE, HC_SELF, false,
						nmi_unregister},
	};

	return hypercall_family(rows, ARRAY_SIZE(rows), (unsigned int)cmd, uarg);
}

long do_fpu_taskswitch(u64 set, u64 a2, u64 a3, u64 a4, u64 a5)
{
	struct vcpu *v = current;

	if (set)
		v->pv.ctrlreg[0] |= X86_CR0_TS;
	else
		v->pv.ctrlreg[0] &= ~X86_CR0_TS;
	fpu_guest_ts(v, set);
	return 0;
}

/* Loads GS for user mode: the base that comes with the selector belongs to the other GS base. */
static long load_user_gs(struct vcpu *v, u32 sel)
{
	int err = 0;

	__asm__ volatile("swapgs\n1: mov %w1, %%gs\n2: swapgs\n"
			 ".pushsection .text.fixup, \"ax\"\n"
			 "3: movl $1, %0\n xorl %k1, %k1\n mov %w1, %%gs\n jmp 2b\n"
			 ".popsection\n" EXTABLE(1b, 3b)
			 : "+r"(err), "+r"(sel)
			 :
			 : "memory");
	(void)v;
	return err ? -EINVAL : 0;
}

long do_set_segment_base(u64 which, u64 base, u64 a3, u64 a4, u64 a5)
{
	struct vcpu *v = current;

	if (which <= SEGBASE_GS_KERNEL && !is_canonical(base))
		return -EINVAL;
	switch (which) {
	case SEGBASE_FS:
		v->pv.fs_base = base;
		wrfsbase(base);
		return 0;
	case SEGBASE_GS_USER:
		v->pv.gs_base_user = base;
		wrmsr(MSR_KERNEL_GS_BASE, base);
		return 0;
	case SEGBASE_GS_KERNEL:
		v->pv.gs_base_kernel = base;
		wrgsbase(base);
		return 0;
	case SEGBASE_GS_USER_SEL:
		return load_user_gs(v, (u32)base & 0xffff);
	default:
		return -EINVAL;
	}
}

/*
 * Debug registers (SDM vol. 3, 17.2). Breakpoints may not be placed on hypervisor addresses, I/O breakpoints and
 * general detect are not the guest's to use.
 */
int pv_set_debugreg(struct vcpu *v, unsigned int n, u64 value)
{
	switch (n) {
	case 0 ... 3:
		if (!guest_address_ok(value))
			return -EPERM;
		break;
	case 6:
		value = (value & 0xf00f) | 0xffff0ff0UL;
		break;
	case 7:
		/* With GD the hypervisor's own next look at a debug register would trap. */
		if (value >> 32 || (value & 0x2000))
			return -EPERM;
		value &= ~0x0000dc00UL;
		value |= 0x400;
		for (unsigned int i = 0; i < 4; i++)
			if ((value >> (16 + 4 * i) & 3) == 2)
				return -EPERM;
		break;
	default:
		return -ENODEV;
	}
	v->pv.dr[n] = value;
	return 0;
}

long do_set_debugreg(u64 reg, u64 value, u64 a3, u64 a4, u64 a5)
{
	struct vcpu *v = current;
	int rc;

	if (reg == 4 || reg == 5)
		reg += 2;
	if (reg > 7)
		return -ENODEV;
	rc = pv_set_debugreg(v, (unsigned int)reg, value);
	if (rc)
		return rc;
	if ((v->pv.dr[7] & 0xff) || reg == 7)
		pv_load_debugregs(v);
	return 0;
}

long do_get_debugreg(u64 reg, u64 a2, u64 a3, u64 a4, u64 a5)
{
	if (reg == 4 || reg == 5)
		reg += 2;
	if (reg > 7)
		return -ENODEV;
	return (long)current->pv.dr[reg];
}

/* vm_assist: types a 64-bit guest may have (docs/abi/page-tables.md). */
#define VMASST_VALID                                                                   \
	(BIT(VMASST_TYPE_4gb_segments) | BIT(VMASST_TYPE_4gb_segments_notify) |        \
	 BIT(VMASST_TYPE_writable_pagetables) | BIT(VMASST_TYPE_pae_extended_cr3) |    \
	 BIT(VMASST_TYPE_architectural_iopl) | BIT(VMASST_TYPE_runstate_update_flag) | \
	 BIT(VMASST_TYPE_m2p_strict))

long do_vm_assist(u64 cmd, u64 type, u64 a3, u64 a4, u64 a5)
{
	struct domain *d = current->domain;

	if (type >= 64 || !(VMASST_VALID >> type & 1))
		return -EINVAL;
	switch (cmd) {
	case VMASST_CMD_enable:
		set_bit(type, &d->vm_assist);
		return 0;
	case VMASST_CMD_disable:
		clear_bit(type, &d->vm_assist);
		return 0;
	default:
		return -ENOSYS;
	}
}

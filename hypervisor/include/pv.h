/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PV guests: bounce, callbacks, privileged instructions, vCPU contexts. */
#ifndef SERAI_PV_H
#define SERAI_PV_H

#include <cpuid_leaf.h>
#include <domain.h>
#include <regs.h>

/* Selectors of the hypervisor's part of the GDT, fixed by the PV ABI (arch-x86/xen-x86_64.h). */
#define GDT_HV_FIRST 0xe000
#define SEL_HV_CS 0xe008
#define SEL_HV_DS 0xe010
#define SEL_GUEST_CS32 0xe023
#define SEL_GUEST_DS 0xe02b
#define SEL_GUEST_CS64 0xe033
#define SEL_TSS 0xe040
#define SEL_LDT 0xe050

/* Deliver an exception to the guest's handler: builds the frame when the CPU goes back to the guest. error
 * only for vectors that have one. For #PF the caller passes the address (stored in vcpu_info.arch.cr2). */
void pv_inject_exception(struct vcpu *v, u8 vector, u32 error_code);
void pv_inject_page_fault(struct vcpu *v, u32 error_code, u64 addr);

/* #GP or #UD from a PV kernel: emulate a privileged instruction. True: done, rip advanced (or an exception
 * injected). False: the fault is the guest's own. (x86/pv/emulate_priv.c) */
bool pv_emulate_privileged(struct regs *regs);
bool pv_emulate_forced_cpuid(struct regs *regs); /* ud2; "xen"; cpuid */
/* The leaf a guest sees (core/cpuid). */
void guest_cpuid(const struct vcpu *v, u32 leaf, u32 subleaf, struct cpuid_leaf *out);
int guest_rdmsr(struct vcpu *v, u32 msr, u64 *val); /* 0; -ENODEV => #GP */
int guest_wrmsr(struct vcpu *v, u32 msr, u64 val);
void pv_load_tsc_aux(const struct vcpu *v); /* context switch: MSR_TSC_AUX, if it differs */
/* Ports the domain may use: ioport ranges. */
bool guest_io_port_ok(const struct vcpu *v, unsigned int port, unsigned int bytes);

/* Virtual kernel <-> user switch: CR3 and GS base. */
void pv_toggle_mode(struct vcpu *v);

/* Rare work on the way out: pending NMIs. */
void pv_async_work(struct vcpu *v);

/* Contexts in the ABI's form (domctl get/setvcpucontext, VCPUOP_initialise). */
struct vcpu_guest_context;
int pv_set_context(struct vcpu *v, const struct vcpu_guest_context *c); /* -ERESTART possible */
void pv_get_context(struct vcpu *v, struct vcpu_guest_context *c);
struct trap_info;
void pv_set_trap(struct vcpu *v, const struct trap_info *t);
int pv_set_debugreg(struct vcpu *v, unsigned int n,
		    u64 value); /* -EPERM a value guests may not have, -ENODEV */
void pv_load_debugregs(const struct vcpu *v);
/* TSS and syscall stub of this CPU: v's registers are saved into v->regs. */
void cpu_set_entry_stack(struct vcpu *v);

/* The CR0 a 64-bit PV guest sees, besides TS: PG AM WP NE ET MP PE */
#define X86_CR0_GUEST 0x80050033UL

/* Fills a hypercall page (x86/pv/hypercall_page.c): an entry of 32 bytes for each number. */
void pv_hypercall_page_fill(void *page);

/* FPU (x86/cpu/fpu.c, the only file with FPU instructions) */
void fpu_init(void);
void fpu_cpu_init(void);
int fpu_vcpu_init(struct vcpu *v); /* buffer for the permitted set of the domain's policy */
void fpu_vcpu_destroy(struct vcpu *v);
void fpu_switch_out(struct vcpu *v); /* registers -> buffer (if they may have changed) */
void fpu_switch_in(struct vcpu *v);
void fpu_guest_ts(struct vcpu *v, bool set); /* HYPERVISOR_fpu_taskswitch */
bool fpu_handle_nm(struct vcpu *v);          /* #NM: true = resolved, false = the guest's */
int fpu_import_fxsave(struct vcpu *v, const void *fx512);
void fpu_export_fxsave(struct vcpu *v, void *fx512);
int policy_domain_init(struct domain *d); /* default PV policy into d->policy */
void policy_domain_destroy(struct domain *d);
void policy_host_init(void);

#endif

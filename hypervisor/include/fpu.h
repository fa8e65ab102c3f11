/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Extended state of vCPUs on the machine: what pv.h does not already declare. Only x86/cpu/fpu*.c
 * executes FPU and XSAVE instructions.
 */
#ifndef SERAI_FPU_H
#define SERAI_FPU_H

#include <domain.h>
#include <xstate.h>

/* What this machine has; filled by fpu_init(). */
struct fpu_caps {
	bool xsave, optimised, compacted; /* the instructions in use, below */
	bool selectors;                   /* FCS and FDS survive a save and restore */
	bool leaky_pointers;              /* FIP, FDP, FOP saved only with an exception pending */
	bool xfd;
	const char *method; /* "XSAVES", ... */
	u64 xcr0;           /* components the hypervisor can carry */
	struct xstate_layout layout;
};
extern struct fpu_caps fpu_caps;

/* XCR0 of the guest, now and ever (accumulated). */
u64 fpu_xcr0(const struct vcpu *v);
u64 fpu_xcr0_accum(const struct vcpu *v);
/* XSETBV by the running vCPU: 0, or -EINVAL for #GP. */
int fpu_set_xcr0(struct vcpu *v, u64 value);
/* IA32_XFD, IA32_XFD_ERR of the running vCPU: 0, or -EINVAL for #GP. */
int fpu_read_xfd(struct vcpu *v, u32 msr, u64 *value);
int fpu_write_xfd(struct vcpu *v, u32 msr, u64 value);
#define MSR_IA32_XFD 0x1c4U
#define MSR_IA32_XFD_ERR 0x1c5U

/* Makes room for a new permitted set; the domain's vCPUs have never run. 0 or -ENOMEM. */
int fpu_policy_changed(struct domain *d);
/* Initial state, as a vCPU context without FPU contents asks for. */
void fpu_reset(struct vcpu *v);
/* How FIP and FDP are saved: 0 automatic, 4 or 8 (enum xstate_fip_mode). */
int fpu_set_fip_mode(struct domain *d, unsigned int mode);

/*
 * The extended-state record of the control interface and of streams: XCR0, xcr0_accum (8 bytes each),
 * then an image in standard format. The vCPU is paused and its state in memory.
 */
u32 fpu_extstate_size(const struct vcpu *v);
u32 fpu_extstate_size_max(void); /* of any vCPU, at any time */
int fpu_export_extstate(struct vcpu *v, void *record, u32 size);
/* 0, -EINVAL (damaged), -EOPNOTSUPP (not permitted: the log names the features). */
int fpu_import_extstate(struct vcpu *v, const void *record, u32 size);

/* 'f' debug key: how state is switched, and how often FNSTENV was needed. */
void fpu_dump(void);

#endif

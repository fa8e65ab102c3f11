/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of x86/cpu/fpu*.c. */
#ifndef SERAI_FPU_STATE_H
#define SERAI_FPU_STATE_H

#include <fpu.h>

#include "fpu_insn.h"

#define FPU_NOWHERE (~0U)

struct fpu_state {
	struct xstate_area *area; /* 64-byte aligned; compacted when fpu_caps.compacted */
	u32 area_size;
	unsigned int cpu; /* whose registers hold this state, if that CPU's owner is still us */
	u64 permitted;    /* XCR0 bits of the domain's policy */
	u64 xcr0, xcr0_accum;
	u64 xfd, xfd_err;
	u64 xfd_permitted; /* components of the permitted set that XFD can disable */
	bool guest_ts;
	bool clean; /* the buffer is as new as the registers */
	enum xstate_fip_mode fip_mode;
	u64 saves, restores, fnstenvs, refused;
};

/* What the registers of one CPU hold. */
struct fpu_cpu {
	struct vcpu *owner; /* whose state; compared, never followed */
	u64 xcr0, xfd, xfd_err;
	bool ts;
} __aligned(64);

/* The chosen instructions (fpu_init.c). */
void fpu_insn_save(struct xstate_area *a, u64 mask);
bool fpu_insn_restore(const struct xstate_area *a, u64 mask);

void fpu_cpu_reset(void);
void fpu_flush(struct vcpu *v);
void fpu_forget(struct vcpu *v);
/* fpu_image.c */
void fpu_reset_area(struct fpu_state *f);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files that carry out privileged instructions of PV guests. */
#ifndef SERAI_PV_PRIV_H
#define SERAI_PV_PRIV_H

#include <domain.h>

/* Does the vCPU's virtual IOPL cover its virtual ring? The guest kernel is ring 1 in this respect. */
static inline bool pv_iopl_ok(const struct vcpu *v)
{
	return v->pv.iopl >= (v->pv.kernel_mode ? 1 : 3);
}

u64 pv_guest_cr4(const struct vcpu *v);

/* io.c: may the code that runs use the port (else #GP)? Then what the port gives. */
bool pv_guest_io_allowed(struct vcpu *v, unsigned int port, unsigned int bytes);
u32 pv_io_read(struct vcpu *v, unsigned int port, unsigned int bytes);
void pv_io_write(struct vcpu *v, unsigned int port, unsigned int bytes, u32 val);

/* IN and OUT without prefixes but 66, the bulk of a kernel's port I/O: true when done. code: 16 bytes. */
static inline bool pv_may_be_port(u8 first)
{
	return (first & 0xf4) == 0xe4 || first == 0x66;
}
bool pv_port_fast(struct vcpu *v, struct regs *regs, const u8 *code);

#endif

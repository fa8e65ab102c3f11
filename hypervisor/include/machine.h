/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The seam: everything core/ may ask of the machine beyond plain memory. x86/ has the real bodies, tests
 * link fake ones (tests/unit/fake). Core code includes core/, lib.h, list.h, bitops.h, spinlock.h, guest
 * headers and this file, nothing else of the hypervisor.
 */
#ifndef SERAI_MACHINE_H
#define SERAI_MACHINE_H

#include <types.h>

stime_t machine_now(void);
void machine_relax(void); /* inside a wait loop */

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reference clocks the firmware's tables name: HPET (HPET spec 1.0a, 2.3) and ACPI PM timer
 * (ACPI 4.8.3.3). */
#include "internal.h"
#include <acpi.h>
#include <io.h>
#include <mm.h>

#define HPET_CAP 0x000    /* bits 63:32 femtoseconds a tick; bit 13: counter has 64 bits */
#define HPET_CONFIG 0x010 /* bit 0: counts */
#define HPET_COUNTER 0x0f0
#define FEMTO 1000000000000000ULL

static const u8 *hpet_regs;

static u64 hpet_read(void)
{
	return mmio_read32(hpet_regs + HPET_COUNTER);
}

const struct ref_clock *hpet_clock(void)
{
	static struct ref_clock hpet = {.name = "HPET", .mask = 0xffffffff, .usec = 10000, .read = hpet_read};
	u64 period;

	if (!acpi.hpet)
		return NULL;
	if (!hpet_regs)
		hpet_regs = vmap_io(acpi.hpet, PAGE_SIZE);
	if (!hpet_regs)
		return NULL;
	period = mmio_read32(hpet_regs + HPET_CAP + 4);
	/* At most 100 ns a tick by its specification; all ones where nothing answers. */
	if (period < FEMTO / 1000000000 / 10 || period > 100000000)
		return NULL;
	mmio_write32((u8 *)hpet_regs + HPET_CONFIG, mmio_read32(hpet_regs + HPET_CONFIG) | 1);
	hpet.hz = FEMTO / period;
	return &hpet;
}

static u64 pm_timer_read(void)
{
	return inl((u16)acpi.pm_timer.address);
}

const struct ref_clock *pm_timer_clock(void)
{
	static const struct ref_clock pm = {.name = "ACPI PM timer",
					    .hz = 3579545,
					    .mask = 0xffffff,
					    .usec = 20000,
					    .read = pm_timer_read};
	u64 first;

	if (!acpi.pm_timer.address || acpi.pm_timer.space != ACPI_GAS_IO || acpi.pm_timer.address > 0xfffc)
		return NULL;
	first = pm_timer_read();
	for (int i = 0; i < 1000; i++) {
		if (((pm_timer_read() ^ first) & pm.mask) != 0)
			return &pm;
	}
	return NULL;
}

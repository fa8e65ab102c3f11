/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Restart, power off, halt. May run in a panic: no locks, nothing that can wait for another CPU for
 * long.
 */
#include <acpi.h>
#include <apic.h>
#include <console.h>
#include <io.h>
#include <lib.h>
#include <mm.h>
#include <options.h>
#include <pci.h>
#include <percpu.h>
#include <power.h>
#include <smp.h>
#include <time.h>
#include <xen/sched.h>

#define KBC_COMMAND 0x64
#define KBC_PULSE_RESET 0xfe
#define RESET_CONTROL 0xcf9
#define SLP_EN 0x2000U

static bool noreboot;

static int parse_noreboot(const char *s)
{
	return option_bool(s, &noreboot);
}
OPTION("noreboot", parse_noreboot);

static void __noreturn halt_forever(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

/* FADT reset register (ACPI 4.8.3.6): I/O port, device memory, or a register of a function on bus
 * 0. */
static void acpi_reset(void)
{
	const struct acpi_gas *r = &acpi.reset_reg;
	volatile u8 *p;

	if (!acpi.reset_supported)
		return;
	if (r->space == ACPI_GAS_IO) {
		outb((u16)r->address, acpi.reset_value);
	} else if (r->space == ACPI_GAS_PCI) {
		pci_conf_write(
			(struct pci_addr){0, 0, (u8)((r->address >> 32 & 31) << 3 | (r->address >> 16 & 7))},
			(unsigned int)(r->address & 0xffff), 1, acpi.reset_value);
	} else {
		p = vmap_io(r->address, 1);
		if (p)
			mmio_write8(p, acpi.reset_value);
	}
}

static void keyboard_reset(void)
{
	for (unsigned int i = 0; i < 10; i++) {
		for (unsigned int n = 0; n < 0x10000 && (inb(KBC_COMMAND) & 2); n++)
			__asm__ volatile("pause");
		outb(KBC_COMMAND, KBC_PULSE_RESET);
		delay_us(50);
	}
}

/* PCI reset control (ICH and later): hard reset on the rising edge of bit 2. */
static void cf9_reset(void)
{
	u8 v = (u8)(inb(RESET_CONTROL) & ~6);

	outb(RESET_CONTROL, v | 2);
	delay_us(50);
	outb(RESET_CONTROL, v | 6);
	delay_us(50);
}

static void __noreturn triple_fault(void)
{
	static const struct {
		u16 limit;
		u64 base;
	} __packed none = {0, 0};

	__asm__ volatile("lidt %0; int3" : : "m"(none));
	halt_forever();
}

void machine_restart(void)
{
	console_start_sync();
	smp_stop_others();
	lapic_disable_for_reset();
	acpi_reset();
	delay_us(10000);
	keyboard_reset();
	delay_us(10000);
	cf9_reset();
	delay_us(10000);
	triple_fault();
}

void machine_halt(void)
{
	console_start_sync();
	smp_stop_others();
	halt_forever();
}

static u16 sleep_a, sleep_b;
static bool sleep_known;

/* The values of S5 are in the firmware's AML, which only the hardware domain interprets. */
void power_set_s5(u16 val_a, u16 val_b)
{
	sleep_a = val_a;
	sleep_b = val_b;
	sleep_known = true;
}

static void pm1_write(const struct acpi_gas *r, u16 v)
{
	if (!r->address)
		return;
	if (r->space == ACPI_GAS_IO)
		outw((u16)r->address, v);
}

void machine_power_off(void)
{
	console_start_sync();
	smp_stop_others();
	if (sleep_known) {
		/* SLP_TYP first, then with SLP_EN (ACPI 4.8.3.2.1, figure 16.1) */
		pm1_write(&acpi.pm1a_cnt, (u16)(sleep_a & ~SLP_EN));
		pm1_write(&acpi.pm1b_cnt, (u16)(sleep_b & ~SLP_EN));
		pm1_write(&acpi.pm1a_cnt, sleep_a | SLP_EN);
		pm1_write(&acpi.pm1b_cnt, sleep_b | SLP_EN);
		delay_us(100000);
	}
	printk("System halted: it is safe to switch the power off\n");
	halt_forever();
}

void hwdom_shutdown(u32 reason)
{
	const char *what = reason == SHUTDOWN_poweroff   ? "powered off"
			   : reason == SHUTDOWN_crash    ? "crashed"
			   : reason == SHUTDOWN_watchdog ? "let its watchdog expire"
							 : "rebooted";

	if (dom0 && dom0->is_shut_down)
		printk("Domain 0 %s\n", what);
	if (reason == SHUTDOWN_poweroff) {
		machine_power_off();
	} else if (noreboot) {
		printk("'noreboot' set: not rebooting\n");
		machine_halt();
	}
	printk("Rebooting the machine%s\n", reason == SHUTDOWN_reboot ? "" : " in five seconds");
	console_start_sync();
	if (reason != SHUTDOWN_reboot)
		for (unsigned int i = 0; i < 500; i++)
			delay_us(10000);
	machine_restart();
}

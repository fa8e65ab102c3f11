/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * docs/abi/fpu.md promises: the x87 pointers survive another domain's use of the processor, and being saved to a
 * file and restored from it, as the code that left them can see them: 32-bit user code of this 64-bit kernel keeps its
 * selectors, offsets and opcode, 64-bit code all 64 bits of its pointers.
 *
 * The toolstack has to play along (tests/bochs/run --stream): at "x87save: ready N" it lets another domain run, and
 * writes N to data/go; at "x87save: save N" it saves and restores this one. Needs a processor that keeps selectors:
 * of emulators Bochs does, QEMU does not, and there the cases are skipped.
 */
#include "guest.h"
#include "usercode.h"
#include "x87.h"

static const float number = 3.5f;
static struct user_state u;
static struct user_result r;
static struct fenv32 *before32, *after32;
static struct fxsave64 before64, after64;

static bool able(bool wide)
{
	if (is_dom0())
		skip("not the control domain");
	else if (!x87_pointers_kept(wide))
		skip(wide ? "the processor keeps no instruction pointer"
			  : "the processor keeps no selectors");
	else
		return true;
	return false;
}

static bool load_32bit_code(void)
{
	char *data = user_data_page();

	if (!user_init())
		return false;
	before32 = (void *)(data + 0x100);
	after32 = (void *)(data + 0x200);
	memcpy(data, &number, 4);
	memset(after32, 0, sizeof(*after32));
	RUN32(load32);
	check_eq(before32->fcs, FLAT_USER_CS32);
	check_eq(before32->fip, USER_CODE + 2);
	check_eq(before32->fdp, USER_DATA);
	return true;
}

static void look_32bit_code(void)
{
	RUN32(look32);
	printk("SG detail FCS %x FIP %x FDS %x FDP %x FOP %x, before FCS %x FIP %x FDS %x FDP %x FOP %x\n",
	       after32->fcs, after32->fip, after32->fds, after32->fdp, after32->fop & 0x7ff, before32->fcs,
	       before32->fip, before32->fds, before32->fdp, before32->fop & 0x7ff);
	check_eq(after32->fcs, before32->fcs);
	check_eq(after32->fds, before32->fds);
	check_eq(after32->fip, before32->fip);
	check_eq(after32->fdp, before32->fdp);
	check_eq(after32->fop & 0x7ff, before32->fop & 0x7ff);
}

static void load_64bit_code(void)
{
	__asm__ volatile("fninit\n flds %1\n fxsave64 %0" : "=m"(before64) : "m"(number));
	check(before64.fip >> 32 == 0xffffffff);
}

static void look_64bit_code(void)
{
	__asm__ volatile("fxsave64 %0" : "=m"(after64));
	printk("SG detail FIP %lx FDP %lx FOP %x, before FIP %lx FDP %lx FOP %x\n", after64.fip, after64.fdp,
	       after64.fop, before64.fip, before64.fdp, before64.fop);
	check_eq(after64.fip, before64.fip);
	check_eq(after64.fdp, before64.fdp);
	check_eq(after64.fop, before64.fop);
}

/* Nothing from here to the look uses the FPU: the kernel is built without. */
static void let_others_run(unsigned int n)
{
	char buf[16], want[2] = {(char)('0' + n), 0};

	printk("x87save: ready %u\n", n);
	while (!store_read("data/go", buf, sizeof(buf)) || strcmp(buf, want))
		store_pause();
}

static void be_saved(unsigned int n)
{
	suspend_offer_frames();
	printk("x87save: save %u\n", n);
	check_eq(suspend_plainly(), 0);
}

CASE(selectors_past_another_domain)
{
	if (!able(false) || !load_32bit_code())
		return;
	let_others_run(1);
	look_32bit_code();
}

CASE(pointers_past_another_domain)
{
	if (!able(true))
		return;
	load_64bit_code();
	let_others_run(2);
	look_64bit_code();
}

/* As a vCPU that never touched XCR0. */
CASE(selectors_through_a_stream)
{
	if (!able(false) || !load_32bit_code())
		return;
	be_saved(1);
	look_32bit_code();
}

CASE(pointers_through_a_stream)
{
	if (!able(true))
		return;
	load_64bit_code();
	be_saved(2);
	look_64bit_code();
}

CASE(selectors_through_a_stream_with_xsave)
{
	if (!able(false))
		return;
	if (!x87_use_xsave()) {
		skip("no XSAVE");
		return;
	}
	if (!load_32bit_code())
		return;
	be_saved(3);
	look_32bit_code();
}

CASE(pointers_through_a_stream_with_xsave)
{
	if (!able(true))
		return;
	if (!x87_use_xsave()) {
		skip("no XSAVE");
		return;
	}
	load_64bit_code();
	be_saved(4);
	look_64bit_code();
}

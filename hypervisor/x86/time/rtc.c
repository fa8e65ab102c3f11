/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The CMOS clock (MC146818), read once at boot. It is taken to run in UTC; dom0 corrects by
 * settime. */
#include "internal.h"
#include <io.h>
#include <lib.h>

#define RTC_A 0x0a /* bit 7: update in progress */
#define RTC_B 0x0b /* bit 1: 24 hours, bit 2: binary */

struct rtc_fields {
	u8 sec, min, hour, day, mon, year, century;
};

static u8 cmos_read(u8 reg)
{
	outb(0x70, reg);
	return inb(0x71);
}

static void read_fields(struct rtc_fields *f)
{
	/* An update takes 2 ms at most; a clock that says so for ever is broken and read anyway. */
	for (int i = 0; i < 100000 && (cmos_read(RTC_A) & 0x80); i++)
		;
	f->sec = cmos_read(0);
	f->min = cmos_read(2);
	f->hour = cmos_read(4);
	f->day = cmos_read(7);
	f->mon = cmos_read(8);
	f->year = cmos_read(9);
	f->century = cmos_read(0x32);
}

static u8 from_bcd(u8 v)
{
	return (u8)((v >> 4) * 10 + (v & 15));
}

/* Days since 1970-01-01 of a date of the Gregorian calendar: years begin in March, so that the leap
 * day is the last of its year. */
static u64 days_from_civil(u32 y, u32 m, u32 d)
{
	u32 era_year, day_of_year;

	y -= m <= 2;
	era_year = y % 400;
	day_of_year = (153 * (m + (m > 2 ? -3U : 9U)) + 2) / 5 + d - 1;
	return (u64)(y / 400) * 146097 + era_year * 365 + era_year / 4 - era_year / 100 + day_of_year -
	       719468;
}

u64 rtc_read_seconds(void)
{
	struct rtc_fields a, b;
	u8 mode = cmos_read(RTC_B), pm;
	u32 year;

	/* Twice the same: no update happened in between. */
	read_fields(&b);
	for (int i = 0; i < 10; i++) {
		a = b;
		read_fields(&b);
		if (!memcmp(&a, &b, sizeof(a)))
			break;
	}
	pm = b.hour & 0x80;
	b.hour &= 0x7f;
	if (!(mode & 4)) {
		u8 *p = &b.sec;

		for (size_t i = 0; i < sizeof(b); i++)
			p[i] = from_bcd(p[i]);
	}
	if (!(mode & 2))
		b.hour = (u8)(b.hour % 12 + (pm ? 12 : 0));
	year = b.year + (b.century >= 19 && b.century <= 22 ? b.century * 100U : b.year < 70 ? 2000U : 1900U);
	if (!b.mon || b.mon > 12 || !b.day || b.day > 31) {
		printk(XLOG_WARNING "CMOS clock holds no date\n");
		return 0;
	}
	return days_from_civil(year, b.mon, b.day) * 86400 + b.hour * 3600U + b.min * 60U + b.sec;
}

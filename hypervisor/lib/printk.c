/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * printk: levels, rate limits, time stamps. Text goes to console_puts_raw() with "(XEN) " in front
 * of every line, which is what people and scripts look for in `xl dmesg`.
 *
 *   loglvl=<always>[/<limited>]  guest_loglvl=<always>[/<limited>]      none error warning info
 * debug all console_timestamps=none|boot|raw
 *
 * A message below the first threshold is printed, one below the second is printed at most
 * RATE_BURST times in RATE_PERIOD. A message without a level is a warning. The console lock
 * protects the buffers.
 */
#include <console.h>
#include <lib.h>
#include <options.h>
#include <time.h>
#include <xerrno.h>

#define LEVEL_DEFAULT 1U
#define RATE_BURST 10U
#define RATE_PERIOD SECONDS(5)

struct log_class {
	unsigned int always, limited; /* levels below these */
	stime_t window;               /* start of the current period */
	unsigned int printed, dropped;
};

static struct log_class hv_log = {.always = 2, .limited = 2};
static struct log_class guest_log = {.always = 0, .limited = 2};
static enum { STAMP_NONE, STAMP_BOOT, STAMP_RAW } stamps;

static const char *parse_level(const char *s, unsigned int *out)
{
	static const char *const names[] = {"none", "error", "warning", "info", "debug", "all"};

	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		size_t n = strlen(names[i]);

		if (!strncmp(s, names[i], n) && (!s[n] || s[n] == '/')) {
			*out = min(i, 4U);
			return s + n;
		}
	}
	return NULL;
}

static int parse_thresholds(const char *s, struct log_class *c)
{
	unsigned int always, limited;

	s = parse_level(s, &always);
	if (!s)
		return -EINVAL;
	limited = always;
	if (*s == '/')
		s = parse_level(s + 1, &limited);
	if (!s || *s)
		return -EINVAL;
	c->always = always;
	c->limited = max(always, limited);
	return 0;
}

static int parse_loglvl(const char *s)
{
	return parse_thresholds(s, &hv_log);
}
OPTION("loglvl", parse_loglvl);

static int parse_guest_loglvl(const char *s)
{
	return parse_thresholds(s, &guest_log);
}
OPTION("guest_loglvl", parse_guest_loglvl);

static int parse_timestamps(const char *s)
{
	if (!strcmp(s, "none") || !strcmp(s, "no"))
		stamps = STAMP_NONE;
	else if (!strcmp(s, "boot") || !*s)
		stamps = STAMP_BOOT;
	else if (!strcmp(s, "raw"))
		stamps = STAMP_RAW;
	else
		return -EINVAL;
	return 0;
}
OPTION("console_timestamps", parse_timestamps);

static bool line_start = true;

static void put_line_prefix(void)
{
	char stamp[48] = "";
	stime_t t;

	if (stamps == STAMP_BOOT) {
		t = now();
		snprintf(stamp, sizeof(stamp), "[%5lu.%06lu] ", t / 1000000000, t / 1000 % 1000000);
	} else if (stamps == STAMP_RAW) {
		snprintf(stamp, sizeof(stamp), "[%016lx] ", rdtsc());
	}
	console_puts_raw("(XEN) ", 6);
	console_puts_raw(stamp, strlen(stamp));
}

static void put_text(const char *s)
{
	while (*s) {
		const char *nl = strchr(s, '\n');
		size_t n = nl ? (size_t)(nl - s) + 1 : strlen(s);

		if (line_start)
			put_line_prefix();
		console_puts_raw(s, n);
		line_start = nl != NULL;
		s += n;
	}
}

/* May a message of this level be printed now? Counts what it swallows, and says so afterwards. */
static bool admit(struct log_class *c, unsigned int level, const char *what)
{
	char note[80];

	if (level < c->always)
		return true;
	if (level >= c->limited)
		return false;
	if (now() - c->window > RATE_PERIOD) {
		if (c->dropped) {
			snprintf(note, sizeof(note), "%s: %u messages suppressed\n", what, c->dropped);
			put_text(note);
		}
		c->window = now();
		c->printed = c->dropped = 0;
	}
	if (c->printed >= RATE_BURST) {
		c->dropped++;
		return false;
	}
	c->printed++;
	return true;
}

void vprintk(const char *fmt, va_list ap)
{
	static char buf[1024];
	struct log_class *c = &hv_log;
	unsigned int level = LEVEL_DEFAULT;

	for (; fmt[0] == '\001' && fmt[1]; fmt += 2) {
		if (fmt[1] == 'G')
			c = &guest_log;
		else
			level = (unsigned int)(fmt[1] - '0');
	}
	console_lock();
	if (console_is_sync() || admit(c, level, c == &hv_log ? "log" : "guests")) {
		vsnprintf(buf, sizeof(buf), fmt, ap);
		put_text(buf);
	}
	console_unlock();
}

void printk(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintk(fmt, ap);
	va_end(ap);
}

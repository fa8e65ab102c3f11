/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Traffic for the store daemon, which counts what it was promised: every write that was confirmed is there afterwards,
 * a sum kept in transactions has as many ones as were confirmed, and the watch on all of it has told of each write once.
 *
 *   data/w/N       nodes written again and again, watched
 *   data/sum       counted up in transactions
 *   /traffic/bell  rung by the control domain while there is traffic: N children, then "end" with N in it
 *
 * It says "traffic: ready", works from the first bell to the last, says what it counted, and powers off.
 */
#include <xen/io/xs_wire.h>
#include <xen/sched.h>

#include "guest.h"

#define NODES 64
#define BELLS 1024
#define PATIENCE_NS 120000000000UL /* an emulated host beside other work */

static unsigned int written[NODES], told[NODES];
static uint8_t rung[BELLS];
static unsigned int bells, overflows;
static bool ended;

static unsigned int number(const char *s)
{
	unsigned int v = 0;

	while (*s >= '0' && *s <= '9')
		v = v * 10 + (unsigned int)(*s++ - '0');
	return v;
}

/* What follows the prefix, or NULL. */
static const char *after(const char *path, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(path, prefix, n) ? NULL : path + n;
}

static void on_event(const char *path, const char *token)
{
	static bool first_own, first_bell;
	const char *own = after(path, "data/w"), *bell = after(path, "/traffic/bell");

	(void)token;
	if (own && *own == '/' && number(own + 1) < NODES)
		told[number(own + 1)]++;
	else if (bell && !strcmp(bell, "/end"))
		ended = true;
	else if (bell && *bell == '/' && number(bell + 1) < BELLS)
		bells += !rung[number(bell + 1)]++;
	else if ((own && !*own && !first_own && (first_own = true)) ||
		 (bell && !*bell && !first_bell && (first_bell = true)))
		return; /* the event every new watch begins with */
	else
		overflows++;
}

/* "a\0b", as the wire has it; b ends with a NUL only where the request wants it. */
static size_t join(char *to, const char *a, const char *b, bool end)
{
	size_t n = strlen(a) + 1, m = strlen(b) + end;

	memcpy(to, a, n);
	memcpy(to + n, b, m);
	return n + m;
}

static bool watch(const char *path)
{
	char body[64], answer[16];

	return store_ask(XS_WATCH, 0, body, join(body, path, "t", true), answer, sizeof(answer));
}

static bool write_node(uint32_t tx, const char *path, unsigned int value)
{
	char body[96], text[16], answer[16];

	snprintf(text, sizeof(text), "%u", value);
	return store_ask(XS_WRITE, tx, body, join(body, path, text, false), answer, sizeof(answer));
}

/* One more in data/sum, together with a write that is watched. 1: done, 0: somebody was faster, -1: refused. */
static int count_up(const char *path, unsigned int i)
{
	char buf[24];
	uint32_t tx;

	if (!store_ask(XS_TRANSACTION_START, 0, "", 1, buf, sizeof(buf)))
		return -1;
	tx = number(buf);
	if (!store_ask(XS_READ, tx, "data/sum", 9, buf, sizeof(buf)) ||
	    !write_node(tx, "data/sum", number(buf) + 1) || !write_node(tx, path, written[i] + 1))
		return -1;
	if (store_ask(XS_TRANSACTION_END, tx, "T", 2, buf, sizeof(buf)))
		return 1;
	return strcmp(buf, "EAGAIN") ? -1 : 0;
}

/* Events come when they come; the last are on their way. */
static bool all_told(void)
{
	for (unsigned int i = 0; i < NODES; i++)
		if (told[i] < written[i])
			return false;
	return true;
}

static void collect(unsigned int *lost, unsigned int *twice, unsigned int *wrong)
{
	uint64_t end = uptime_ns() + PATIENCE_NS;
	char path[24], buf[24];

	while (!all_told() && uptime_ns() < end)
		if (!store_event())
			store_pause();
	for (unsigned int i = 0; i < NODES; i++) {
		*lost += told[i] < written[i] ? written[i] - told[i] : 0;
		*twice += told[i] > written[i] ? told[i] - written[i] : 0;
		snprintf(path, sizeof(path), "data/w/%u", i);
		*wrong += written[i] && (!store_read(path, buf, sizeof(buf)) || number(buf) != written[i]);
	}
}

CASE(traffic)
{
	unsigned int n = 0, added = 0, conflicts = 0, refused = 0, lost = 0, twice = 0, wrong = 0;
	char path[24], buf[24];

	store_set_event_handler(on_event);
	require(store_write("data/sum", "0") && store_write("data/w", ""));
	require(watch("data/w") && watch("/traffic/bell"));
	printk("traffic: ready\n");
	while (!bells)
		if (!store_event())
			store_pause();
	while (!ended) {
		unsigned int i = n++ % NODES;

		snprintf(path, sizeof(path), "data/w/%u", i);
		if (n % 5) {
			if (write_node(0, path, written[i] + 1))
				written[i]++;
			else
				refused++;
		} else {
			int done = count_up(path, i);

			written[i] += done > 0;
			added += done > 0;
			conflicts += done == 0;
			refused += done < 0;
		}
	}
	collect(&lost, &twice, &wrong);
	printk("traffic: %u requests, %u added, %u conflicts\n", n, added, conflicts);
	printk("traffic: refused %u, wrong %u, lost %u, twice %u, overflows %u\n", refused, wrong, lost,
	       twice, overflows);
	check_eq(refused + wrong + lost + twice + overflows, 0);
	check(store_read("data/sum", buf, sizeof(buf)));
	check_eq(number(buf), added);
	check(store_read("/traffic/bell/end", buf, sizeof(buf)));
	check_eq(bells, number(buf));
	check(n > 30);
}

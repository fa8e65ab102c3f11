/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs the cases and reports. The runner reads lines that begin with "SG":
 *
 *	SG begin <number of cases>
 *	SG case <index> <name>
 *	SG value <name> <hex>
 *	SG detail <text>
 *	SG verdict <success|skip|error|failure>
 *	SG end <worst verdict>
 *
 * A case line without a verdict means that the kernel died in that case. first=<n> on the
 * command line starts at case n, only=<name> runs one.
 */
#include <xen/sched.h>

#include "guest.h"

extern const struct guest_case cases_begin[], cases_end[];

static const char *const verdict_names[] = {"success", "skip", "error", "failure"};
static enum verdict verdict;
static unsigned int complaints; /* of this case; a loop should not fill the log */
#define MAX_COMPLAINTS 6

static void worse(enum verdict v)
{
	if (v > verdict)
		verdict = v;
}

bool check_result(bool ok, const char *what, int line)
{
	if (!ok) {
		if (complaints++ < MAX_COMPLAINTS)
			printk("SG detail line %d: not %s\n", line, what);
		worse(FAILURE);
	}
	return ok;
}

bool check_equal(uint64_t a, uint64_t b, const char *what, int line)
{
	if (a == b)
		return true;
	if (complaints++ < MAX_COMPLAINTS)
		printk("SG detail line %d: not %s (0x%lx, 0x%lx)\n", line, what, a, b);
	worse(FAILURE);
	return false;
}

void record(const char *name, uint64_t value)
{
	printk("SG value %s %lx\n", name, value);
}

void skip(const char *why)
{
	printk("SG detail skipped: %s\n", why);
	worse(SKIP);
}

void error(const char *why)
{
	printk("SG detail error: %s\n", why);
	worse(ERROR);
}

void shutdown(unsigned int reason)
{
	struct sched_shutdown s = {.reason = reason};

	for (;;)
		hypercall2(__HYPERVISOR_sched_op, SCHEDOP_shutdown, (unsigned long)&s);
}

void run_cases(void)
{
	const struct guest_case *c;
	enum verdict worst = SUCCESS;
	char buf[64];
	const char *opt = cmdline_option("first", buf, sizeof(buf));
	long first = 0, index = 0;

	for (; opt && *opt >= '0' && *opt <= '9'; opt++)
		first = first * 10 + *opt - '0';
	opt = cmdline_option("only", buf, sizeof(buf));
	printk("SG begin %ld\n", (long)(cases_end - cases_begin));
	for (c = cases_begin; c < cases_end; c++, index++) {
		if (index < first || (opt && strcmp(opt, c->name)))
			continue;
		printk("SG case %ld %s\n", index, c->name);
		verdict = SUCCESS;
		complaints = 0;
		c->run();
		printk("SG verdict %s\n", verdict_names[verdict]);
		if (verdict > worst)
			worst = verdict;
	}
	printk("SG end %s\n", verdict_names[worst]);
}

/*
 * Called by start.S. The control domain asks for a reboot because that is what ends an
 * emulated machine started with -no-reboot; a power-off would only halt it.
 */
void __noreturn guest_main(void);
void guest_main(void)
{
	mm_init();
	console_init();
	event_init();
	trap_init();
	run_cases();
	shutdown(is_dom0() ? SHUTDOWN_reboot : SHUTDOWN_poweroff);
}

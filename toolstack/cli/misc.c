/* SPDX-License-Identifier: GPL-2.0-or-later */
/* serai dump-core, sysrq, trigger, uptime. */
#include "cli.h"
#include "../stream/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void core_progress(void *arg, uint64_t done, uint64_t total)
{
	(void)arg;
	progress_show("Dumping", done, total);
}

VERB(dump_core)
{
	struct xen_domctl_getdomaininfo info;
	domid_t dom;
	int fd, rc;

	if (cli_option(cli, argc, argv, "", NULL) == -2 ||
	    cli_operands(command_find("dump-core"), argc, 2, 2))
		return 1;
	if ((rc = cli_domain(cli, argv[optind], &dom)) < 0 ||
	    (rc = xc_domain_info(cli->s.xc, dom, &info)) < 0 || cli->dry_run)
		return rc;
	fd = open(argv[optind + 1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return serai_fail(&cli->s, -errno, "%s: %s", argv[optind + 1], strerror(errno));
	xc_domain_pause(cli->s.xc, dom); /* counted: an unpause undoes exactly this one */
	rc = guest_dump_core(&cli->s, dom, fd, core_progress, NULL);
	xc_domain_unpause(cli->s.xc, dom);
	if (close(fd) < 0 && rc >= 0)
		rc = serai_fail(&cli->s, -errno, "%s: %s", argv[optind + 1], strerror(errno));
	if (rc < 0)
		unlink(argv[optind + 1]);
	return rc;
}

VERB(sysrq)
{
	char path[64];
	domid_t dom;
	int rc;

	if (cli_option(cli, argc, argv, "", NULL) == -2 || cli_operands(command_find("sysrq"), argc, 2, 2))
		return 1;
	if ((rc = cli_domain(cli, argv[optind], &dom)) < 0)
		return rc;
	if (strlen(argv[optind + 1]) != 1)
		return serai_fail(&cli->s, -EINVAL, "\"%s\" is not one letter", argv[optind + 1]);
	snprintf(path, sizeof(path), "/local/domain/%u/control/sysrq", dom);
	rc = cli->dry_run ? 0 : store_write(cli->s.store, 0, path, argv[optind + 1]);
	return rc < 0 ? store_fail(&cli->s, rc, path, dom) : 0;
}

VERB(trigger)
{
	static const char *const names[] = {"nmi", "reset", "init", "power", "sleep"};
	unsigned int t = 0, vcpu;
	domid_t dom;
	int rc;

	if (cli_option(cli, argc, argv, "", NULL) == -2 || cli_operands(command_find("trigger"), argc, 2, 3))
		return 1;
	if ((rc = cli_domain(cli, argv[optind], &dom)) < 0)
		return rc;
	while (t < 5 && strcmp(names[t], argv[optind + 1]))
		t++;
	if (t == 5)
		return serai_fail(&cli->s, -EINVAL, "\"%s\" is not a trigger a PV domain knows",
				  argv[optind + 1]);
	vcpu = optind + 2 < argc ? strtoul(argv[optind + 2], NULL, 10) : 0;
	rc = cli->dry_run ? 0 : xc_domain_trigger(cli->s.xc, dom, t, vcpu);
	return rc < 0 ? serai_fail_xc(&cli->s, rc, "%s", argv[optind]) : 0;
}

/* Seconds since the domain was started; domain 0 counts since the kernel was. */
static long uptime_of(struct cli *cli, domid_t dom)
{
	char *vm, *t = NULL;
	long up = 0;

	if (dom == 0) {
		struct timespec now;

		clock_gettime(CLOCK_BOOTTIME, &now);
		return now.tv_sec;
	}
	vm = store_readf(cli->s.store, 0, "/local/domain/%u/vm", dom);
	if (vm)
		t = store_readf(cli->s.store, 0, "%s/start_time", vm);
	if (t)
		up = time(NULL) - strtol(t, NULL, 10);
	free(t);
	free(vm);
	return up < 0 ? 0 : up;
}

static void uptime_text(long up, bool brief, char *t, size_t len)
{
	long d = up / 86400, h = up / 3600 % 24, m = up / 60 % 60, s = up % 60;

	if (brief && d)
		snprintf(t, len, "%ld day%s, %2ld:%02ld", d, d == 1 ? "" : "s", h, m);
	else if (brief)
		snprintf(t, len, "%2ld:%02ld", h, m);
	else if (d)
		snprintf(t, len, "%ld day%s, %2ld:%02ld:%02ld", d, d == 1 ? "" : "s", h, m, s);
	else
		snprintf(t, len, "%2ld:%02ld:%02ld", h, m, s);
}

static void uptime_row(struct cli *cli, domid_t dom, bool brief, struct json_object *list)
{
	char *name = domain_name(&cli->s, dom), text[64], clock[16];
	long up = uptime_of(cli, dom);
	time_t now = time(NULL);

	if (list) {
		struct json_object *o = json_object_new_object();

		json_put(o, "domid", json_u64(dom));
		json_put(o, "name", json_str(name));
		json_put(o, "uptime_seconds", json_u64(up));
		json_object_array_add(list, o);
	} else {
		uptime_text(up, brief, text, sizeof(text));
		strftime(clock, sizeof(clock), "%H:%M:%S", localtime(&now));
		if (brief)
			printf(" %s up %s, %s (%d)\n", clock, text, name, dom);
		else
			printf("%-33s %4d %s\n", name, dom, text);
	}
	free(name);
}

VERB(uptime)
{
	static const struct option opts[] = {{"short", 0, NULL, 's'}, {0}};
	struct xen_domctl_getdomaininfo *v;
	struct json_object *list = NULL;
	bool brief = false;
	unsigned int n;
	int o, rc = 0;

	while ((o = cli_option(cli, argc, argv, "s", opts)) != -1) {
		if (o == -2)
			return 1;
		brief |= o == 's';
	}
	if (cli->json)
		list = json_object_new_array();
	else if (!brief)
		printf("%-33s %4s %s\n", "Name", "ID", "Uptime");
	for (int i = optind; i < argc; i++) {
		domid_t dom;

		rc = cli_domain(cli, argv[i], &dom);
		if (rc < 0)
			return rc;
		uptime_row(cli, dom, brief, list);
	}
	if (optind == argc) {
		rc = domain_list(&cli->s, &v, &n);
		if (rc < 0)
			return rc;
		for (unsigned int i = 0; i < n; i++)
			uptime_row(cli, v[i].domain, brief, list);
		free(v);
	}
	return list ? print_json(list) : 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* serai vcpu-list, vcpu-pin, vcpu-set. */
#include "cli.h"

#include <errno.h>
#include <string.h>

#define MAP_BYTES 128

const char *vcpu_state(const struct xen_domctl_getvcpuinfo *v)
{
	if (!v->online)
		return "offline";
	return v->running ? "running" : v->blocked ? "blocked" : "runnable";
}

static int row(struct cli *cli, domid_t dom, const char *name, unsigned int vcpu, unsigned int bits,
	       unsigned int online, struct json_object *list)
{
	struct xen_domctl_getvcpuinfo v;
	uint8_t hard[MAP_BYTES] = {0}, soft[MAP_BYTES] = {0};
	char h[256], s[256];
	int rc;

	if ((rc = xc_vcpu_info(cli->s.xc, dom, vcpu, &v)) < 0 ||
	    (rc = xc_vcpu_get_affinity(cli->s.xc, dom, vcpu, hard, soft, bits)) < 0)
		return serai_fail_xc(&cli->s, rc, "%s: vCPU %u", name, vcpu);
	cpus_format(hard, bits, online, h, sizeof(h));
	cpus_format(soft, bits, online, s, sizeof(s));
	if (list) {
		struct json_object *o = json_object_new_object();

		json_put(o, "domid", json_u64(dom));
		json_put(o, "name", json_str(name));
		json_put(o, "vcpu", json_u64(vcpu));
		json_put(o, "online", json_object_new_boolean(v.online));
		json_put(o, "cpu", v.online ? json_u64(v.cpu) : NULL);
		json_put(o, "state", json_str(vcpu_state(&v)));
		json_put(o, "cpu_seconds", json_object_new_double(v.cpu_time / 1e9));
		json_put(o, "affinity_hard", json_str(h));
		json_put(o, "affinity_soft", json_str(s));
		json_object_array_add(list, o);
		return 0;
	}
	printf("%-32s %5u %5u", name, dom, vcpu);
	if (v.online)
		printf("%5u %3c%c- ", v.cpu, v.running ? 'r' : '-', v.blocked ? 'b' : '-');
	else
		printf("%5c %3c%cp ", '-', '-', '-');
	printf("%9.1f  %s / %s\n", v.cpu_time / 1e9, h, s);
	return 0;
}

VERB(vcpu_list)
{
	struct xen_domctl_getdomaininfo *all;
	struct xen_sysctl_physinfo ph;
	struct json_object *list = NULL;
	unsigned int n;
	int rc;

	if (cli_option(cli, argc, argv, "", NULL) == -2)
		return 1;
	if ((rc = xc_physinfo(cli->s.xc, &ph)) < 0)
		return serai_fail_xc(&cli->s, rc, "no answer about this host's CPUs");
	rc = domain_list(&cli->s, &all, &n);
	if (rc < 0)
		return rc;
	if (cli->json)
		list = json_object_new_array();
	else
		printf("%-32s %5s %5s %5s %5s %9s %s\n", "Name", "ID", "VCPU", "CPU", "State", "Time(s)",
		       "Affinity (Hard / Soft)");
	for (int a = optind; a < argc && rc >= 0; a++) {
		domid_t dom;

		rc = cli_domain(cli, argv[a], &dom);
	}
	for (unsigned int i = 0; i < n && rc >= 0; i++) {
		bool wanted = optind == argc;
		char *name = domain_name(&cli->s, all[i].domain);
		domid_t dom;

		for (int a = optind; a < argc && !wanted; a++)
			wanted = cli_domain(cli, argv[a], &dom) == 0 && dom == all[i].domain;
		for (unsigned int v = 0; wanted && v <= all[i].max_vcpu_id && rc >= 0; v++)
			rc = row(cli, all[i].domain, name, v, ph.max_cpu_id + 1, ph.nr_cpus, list);
		free(name);
	}
	free(all);
	return list && rc >= 0 ? print_json(list) : rc;
}

VERB(vcpu_pin)
{
	static const struct option opts[] = {{"force", 0, NULL, 'f'}, {0}};
	uint8_t hard[MAP_BYTES], soft[MAP_BYTES];
	struct xen_sysctl_physinfo ph;
	struct xen_domctl_getdomaininfo info;
	unsigned int first, last;
	bool force = false, has_hard, has_soft;
	domid_t dom;
	char *end;
	int o, rc;

	while ((o = cli_option(cli, argc, argv, "f", opts)) != -1) {
		if (o == -2)
			return 1;
		force |= o == 'f';
	}
	if (cli_operands(command_find("vcpu-pin"), argc, 3, 4))
		return 1;
	if ((rc = cli_domain(cli, argv[optind], &dom)) < 0 || (rc = xc_physinfo(cli->s.xc, &ph)) < 0 ||
	    (rc = xc_domain_info(cli->s.xc, dom, &info)) < 0)
		return rc;
	first = strtoul(argv[optind + 1], &end, 10);
	last = first;
	if (!strcmp(argv[optind + 1], "all"))
		first = 0, last = info.max_vcpu_id;
	else if (*end || first > info.max_vcpu_id)
		return serai_fail(&cli->s, -EINVAL, "%s has no vCPU \"%s\"", argv[optind], argv[optind + 1]);
	has_hard = strcmp(argv[optind + 2], "-");
	has_soft = optind + 3 < argc && strcmp(argv[optind + 3], "-");
	if ((has_hard && cpus_parse(argv[optind + 2], hard, ph.max_cpu_id + 1) < 0) ||
	    (has_soft && cpus_parse(argv[optind + 3], soft, ph.max_cpu_id + 1) < 0))
		return serai_fail(&cli->s, -EINVAL, "\"%s\" names none of this host's %u CPUs",
				  argv[optind + 2 + !has_hard], ph.max_cpu_id + 1);
	for (unsigned int v = first; v <= last && !cli->dry_run; v++) {
		rc = xc_vcpu_set_affinity(cli->s.xc, dom, v, has_hard ? hard : NULL, has_soft ? soft : NULL,
					  ph.max_cpu_id + 1, force);
		if (rc < 0)
			return serai_fail_xc(&cli->s, rc, "%s: vCPU %u not pinned", argv[optind], v);
	}
	return 0;
}

VERB(vcpu_set)
{
	static const struct option opts[] = {{"ignore-host", 0, NULL, 'i'}, {0}};
	struct xen_domctl_getdomaininfo info;
	struct xen_sysctl_physinfo ph;
	unsigned long want;
	bool ignore = false;
	domid_t dom;
	char *end, path[80];
	int o, rc;

	while ((o = cli_option(cli, argc, argv, "i", opts)) != -1) {
		if (o == -2)
			return 1;
		ignore |= o == 'i';
	}
	if (cli_operands(command_find("vcpu-set"), argc, 2, 2))
		return 1;
	if ((rc = cli_domain(cli, argv[optind], &dom)) < 0 ||
	    (rc = xc_domain_info(cli->s.xc, dom, &info)) < 0 || (rc = xc_physinfo(cli->s.xc, &ph)) < 0)
		return rc;
	want = strtoul(argv[optind + 1], &end, 10);
	if (*end || end == argv[optind + 1] || want < 1 || want > info.max_vcpu_id + 1)
		return serai_fail(&cli->s, -EINVAL, "%s can have 1 to %u vCPUs (maxvcpus), not \"%s\"",
				  argv[optind], info.max_vcpu_id + 1, argv[optind + 1]);
	if (want > ph.nr_cpus && !ignore)
		return serai_fail(&cli->s, -EINVAL, "this host has %u CPUs; --ignore-host allows more vCPUs",
				  ph.nr_cpus);
	for (unsigned int v = 0; v <= info.max_vcpu_id && !cli->dry_run; v++) {
		snprintf(path, sizeof(path), "/local/domain/%u/cpu/%u/availability", dom, v);
		rc = store_write(cli->s.store, 0, path, v < want ? "online" : "offline");
		if (rc < 0)
			return store_fail(&cli->s, rc, path, dom);
	}
	return 0;
}

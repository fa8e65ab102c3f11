/* SPDX-License-Identifier: GPL-2.0-or-later */
/* serai sched-credit2, cpupool-list. */
#include "cli.h"

#include <errno.h>
#include <string.h>

static char *pool_name(struct cli *cli, uint32_t id)
{
	char *t = store_readf(cli->s.store, 0, "/local/pool/%u/name", id), *made = NULL;

	if (t)
		return t;
	return asprintf(&made, "Pool-%u", id) < 0 ? NULL : made;
}

/* The scheduler itself, as it is in one pool. */
static struct json_object *pool_json(const char *name, uint32_t rate)
{
	struct json_object *o = json_object_new_object();

	json_put(o, "cpupool", json_str(name));
	json_put(o, "ratelimit_us", json_u64(rate));
	return o;
}

static int params_row(struct cli *cli, domid_t dom, struct json_object *list)
{
	struct xen_domctl_sched_credit2 p;
	char *name = domain_name(&cli->s, dom);
	int rc = xc_sched_credit2_get(cli->s.xc, dom, &p);

	if (rc < 0)
		serai_fail_xc(&cli->s, rc, "%s", name);
	else if (list) {
		struct json_object *o = json_object_new_object();

		json_put(o, "domid", json_u64(dom));
		json_put(o, "name", json_str(name));
		json_put(o, "weight", json_u64(p.weight));
		json_put(o, "cap", json_u64(p.cap));
		json_object_array_add(list, o);
	} else
		printf("%-33s %4d %6d %4d\n", name, dom, p.weight, p.cap);
	free(name);
	return rc;
}

static int params_set(struct cli *cli, domid_t dom, long weight, long cap)
{
	struct xen_domctl_sched_credit2 p;
	int rc = xc_sched_credit2_get(cli->s.xc, dom, &p);

	if (rc >= 0) {
		if (weight >= 0)
			p.weight = weight;
		if (cap >= 0)
			p.cap = cap;
		rc = cli->dry_run ? 0 : xc_sched_credit2_set(cli->s.xc, dom, &p);
	}
	return rc < 0 ? serai_fail_xc(&cli->s, rc, "domain %u: weight or cap refused", dom) : 0;
}

/* Every pool that credit2 runs, and its domains. */
static int show_all(struct cli *cli, const char *only, bool param_only, struct json_object *list)
{
	struct xen_domctl_getdomaininfo *v;
	struct xc_cpupool pool;
	unsigned int n;
	int rc = domain_list(&cli->s, &v, &n);

	for (uint32_t id = 0; rc >= 0 && xc_cpupool_info(cli->s.xc, id, &pool) >= 0; id = pool.id + 1) {
		char *name = pool_name(cli, pool.id);
		uint32_t rate;

		if (pool.sched == XEN_SCHEDULER_CREDIT2 && (!only || !strcmp(only, name)) &&
		    (rc = xc_sched_credit2_pool_get(cli->s.xc, pool.id, &rate)) >= 0) {
			if (!list)
				printf("Cpupool %s: ratelimit=%uus\n", name, rate);
			else if (param_only)
				json_object_array_add(list, pool_json(name, rate));
			if (!list && !param_only)
				printf("%-33s %4s %6s %4s\n", "Name", "ID", "Weight", "Cap");
			for (unsigned int i = 0; i < n && rc >= 0 && !param_only; i++)
				if (v[i].cpupool == pool.id)
					rc = params_row(cli, v[i].domain, list);
		}
		free(name);
	}
	free(v);
	return rc;
}

static int number(const char *t, long min, long max)
{
	char *end;
	long v = strtol(t, &end, 10);

	return *end || end == t || v < min || v > max ? -1 : (int)v;
}

VERB(sched_credit2)
{
	static const struct option opts[] = {{"domain", 1, NULL, 'd'},
					     {"weight", 1, NULL, 'w'},
					     {"cap", 1, NULL, 'c'},
					     {"schedparam", 0, NULL, 's'},
					     {"ratelimit_us", 1, NULL, 'r'},
					     {"cpupool", 1, NULL, 'p'},
					     {0}};
	const char *who = NULL, *pool = NULL;
	long weight = -1, cap = -1, rate = -1;
	bool param = false;
	struct json_object *list = NULL;
	domid_t dom;
	int o, rc;

	while ((o = cli_option(cli, argc, argv, "d:w:c:sr:p:", opts)) != -1) {
		if (o == -2)
			return 1;
		if (o == 'd')
			who = optarg;
		if (o == 'p')
			pool = optarg;
		param |= o == 's';
		if ((o == 'w' && (weight = number(optarg, 1, 65535)) < 0) ||
		    (o == 'c' && (cap = number(optarg, 0, 65535)) < 0) ||
		    (o == 'r' && (rate = number(optarg, 0, XEN_SYSCTL_SCHED_RATELIMIT_MAX)) < 0))
			return serai_fail(&cli->s, -EINVAL, "\"%s\" is out of range for -%c", optarg, o);
	}
	if ((weight >= 0 || cap >= 0) && !who)
		return serai_fail(&cli->s, -EINVAL, "weight and cap need a domain (-d)");
	if (rate >= 0) {
		rc = cli->dry_run ? 0 : xc_sched_credit2_pool_set(cli->s.xc, 0, rate);
		return rc < 0 ? serai_fail_xc(&cli->s, rc, "rate limit refused") : 0;
	}
	if (cli->json)
		list = json_object_new_array();
	if (!who) {
		rc = show_all(cli, pool, param, list);
	} else {
		rc = cli_domain(cli, who, &dom);
		if (rc >= 0 && (weight >= 0 || cap >= 0))
			return params_set(cli, dom, weight, cap);
		if (rc >= 0 && !list)
			printf("%-33s %4s %6s %4s\n", "Name", "ID", "Weight", "Cap");
		if (rc >= 0)
			rc = params_row(cli, dom, list);
	}
	return rc >= 0 && list ? print_json(list) : rc;
}

VERB(cpupool_list)
{
	static const struct option opts[] = {{"cpus", 0, NULL, 'c'}, {0}};
	static const char *const sched[] = {
		[5] = "credit", [6] = "credit2", [7] = "arinc653", [8] = "rtds", [9] = "null"};
	struct json_object *list = NULL;
	struct xc_cpupool pool;
	bool cpus = false, found = false;
	int o;

	while ((o = cli_option(cli, argc, argv, "c", opts)) != -1) {
		if (o == -2)
			return 1;
		cpus |= o == 'c';
	}
	if (cli->json)
		list = json_object_new_array();
	else
		printf("%-19s%s\n", "Name", cpus ? "CPU list" : "CPUs   Sched     Active   Domain count");
	for (uint32_t id = 0; xc_cpupool_info(cli->s.xc, id, &pool) >= 0; id = pool.id + 1) {
		char *name = pool_name(cli, pool.id);
		unsigned int n = 0;
		const char *s = pool.sched >= 5 && pool.sched <= 9 ? sched[pool.sched] : "unknown";
		struct json_object *a = json_object_new_array();
		char text[512] = "";
		size_t used = 0;

		for (unsigned int i = 0; i < sizeof(pool.cpus) * 8; i++) {
			if (!(pool.cpus[i / 8] >> i % 8 & 1))
				continue;
			if (used < sizeof(text))
				used += snprintf(text + used, sizeof(text) - used, "%s%u", n ? "," : "", i);
			json_object_array_add(a, json_u64(i));
			n++;
		}
		if (optind == argc || !strcmp(argv[optind], name)) {
			found = true;
			if (list) {
				struct json_object *j = json_object_new_object();

				json_put(j, "id", json_u64(pool.id));
				json_put(j, "name", json_str(name));
				json_put(j, "scheduler", json_str(s));
				json_put(j, "cpus", json_object_get(a));
				json_put(j, "domains", json_u64(pool.domains));
				json_object_array_add(list, j);
			} else if (cpus) {
				printf("%-19s%s\n", name, text);
			} else {
				printf("%-19s%3u %9s       y       %4u\n", name, n, s, pool.domains);
			}
		}
		json_object_put(a);
		free(name);
	}
	if (optind < argc && !found)
		return serai_fail(&cli->s, -ENOENT, "there is no CPU pool \"%s\"", argv[optind]);
	return list ? print_json(list) : 0;
}

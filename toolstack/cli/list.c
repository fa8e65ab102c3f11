/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * serai list: xl's columns. --json adds the state and never fails for a domain it knows little about.
 */
#include "cli.h"

#include <dirent.h>
#include <string.h>
#include <xen/sched.h>

typedef struct xen_domctl_getdomaininfo info_t;

static void state_letters(const info_t *i, char l[7])
{
	unsigned int reason = i->flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask;
	bool down = i->flags & XEN_DOMINF_shutdown;

	l[0] = i->flags & XEN_DOMINF_running ? 'r' : '-';
	l[1] = i->flags & XEN_DOMINF_blocked ? 'b' : '-';
	l[2] = i->flags & XEN_DOMINF_paused ? 'p' : '-';
	l[3] = down ? 's' : '-';
	/* The reason's letter: poweroff has none. */
	l[4] = !down ? '-' : reason < 5 ? "-rscw"[reason] : '?';
	l[5] = i->flags & XEN_DOMINF_dying ? 'd' : '-';
	l[6] = 0;
}

static const char *state_word(const info_t *i)
{
	unsigned int reason = i->flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask;

	if (i->flags & XEN_DOMINF_dying)
		return "dying";
	if (i->flags & XEN_DOMINF_shutdown)
		return reason == SHUTDOWN_crash     ? "crashed"
		       : reason == SHUTDOWN_suspend ? "suspended"
						    : "shutdown";
	if (i->flags & XEN_DOMINF_paused)
		return "paused";
	return i->flags & XEN_DOMINF_running   ? "running"
	       : i->flags & XEN_DOMINF_blocked ? "blocked"
					       : "runnable";
}

static uint64_t memory_mib(const info_t *i)
{
	return (i->tot_pages + i->outstanding_pages) * 4 >> 10;
}

static struct json_object *json_row(struct cli *cli, const info_t *i)
{
	struct json_object *o = json_object_new_object();
	char *name = domain_name(&cli->s, i->domain), uuid[37], letters[7], *keeper, *transfer;

	uuid_format(i->handle, uuid);
	state_letters(i, letters);
	json_put(o, "domid", json_u64(i->domain));
	json_put(o, "name", json_str(name));
	json_put(o, "uuid", json_str(uuid));
	json_put(o, "state", json_str(state_word(i)));
	json_put(o, "state_letters", json_str(letters));
	json_put(o, "shutdown_reason",
		 i->flags & XEN_DOMINF_shutdown
			 ? json_u64(i->flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask)
			 : NULL);
	json_put(o, "type", json_str(i->flags & XEN_DOMINF_hvm_guest ? "hvm" : "pv"));
	json_put(o, "memory_kib", json_u64(i->tot_pages * 4));
	json_put(o, "memory_max_kib", json_u64(i->max_pages * 4));
	json_put(o, "memory_claimed_kib", json_u64(i->outstanding_pages * 4));
	json_put(o, "vcpus_online", json_u64(i->nr_online_vcpus));
	json_put(o, "vcpus_max", json_u64(i->max_vcpu_id + 1));
	json_put(o, "cpu_seconds", json_object_new_double(i->cpu_time / 1e9));
	json_put(o, "cpupool", json_u64(i->cpupool));
	keeper = name_lock_state(name);
	json_put(o, "monitored", json_object_new_boolean(keeper != NULL));
	free(keeper);
	transfer = transfer_state(name);
	json_put(o, "transfer", transfer ? json_str(transfer) : NULL);
	free(transfer);
	free(name);
	return o;
}

static void print_row(struct cli *cli, const info_t *i, bool verbose, bool pool, bool label, bool numa)
{
	char *name = domain_name(&cli->s, i->domain), letters[7], uuid[37];

	state_letters(i, letters);
	printf("%-40s %5d %5lu %5d     %s  %8.1f", name, i->domain, (unsigned long)memory_mib(i),
	       (int)i->nr_online_vcpus, letters, i->cpu_time / 1e9);
	free(name);
	if (verbose) {
		uuid_format(i->handle, uuid);
		printf(" %s", uuid);
		if (i->flags & XEN_DOMINF_shutdown)
			printf(" %8x", i->flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask);
		else
			printf(" %8s", "-");
	}
	if (verbose || label)
		printf(" %16s", "-");
	if (pool) {
		char *p = store_readf(cli->s.store, 0, "/local/pool/%u/name", i->cpupool);

		printf("%16s", p ? p : "Pool-0");
		free(p);
	}
	if (numa)
		printf(" %s", "all");
	putchar('\n');
}

/* A name without a domain: the members of a domain, as far as there are any. */
static struct json_object *json_name(const char *name, const char *state)
{
	static const char *const absent[] = {"uuid",
					     "state_letters",
					     "shutdown_reason",
					     "type",
					     "memory_kib",
					     "memory_max_kib",
					     "memory_claimed_kib",
					     "vcpus_online",
					     "vcpus_max",
					     "cpu_seconds",
					     "cpupool",
					     "transfer"};
	struct json_object *o = json_object_new_object();

	json_put(o, "domid", NULL);
	json_put(o, "name", json_str(name));
	/* Its keeper has it and did not say yet for what. */
	json_put(o, "state", json_str(*state ? state : "starting"));
	json_put(o, "monitored", json_object_new_boolean(true));
	for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
		json_put(o, absent[i], NULL);
	return o;
}

/* Names that are held though no domain has them: a domain between its end and its next start. */
static void json_held(struct cli *cli, struct json_object *list, const info_t *v, unsigned int n)
{
	DIR *d = opendir(SERAI_RUN_DIR);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		char name[256], *state;
		size_t len = strlen(e->d_name);
		bool taken = len <= 5 || len - 5 >= sizeof(name) || strcmp(e->d_name + len - 5, ".lock");

		if (taken)
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)(len - 5), e->d_name);
		/* Who saves or moves a domain holds a second lock; the domain's own line tells. */
		taken = len > 10 && !strcmp(name + len - 10, ".move");
		for (unsigned int i = 0; i < n && !taken; i++) {
			char *have = domain_name(&cli->s, v[i].domain);

			taken = !strcmp(have, name);
			free(have);
		}
		state = taken ? NULL : name_lock_state(name);
		if (state)
			json_object_array_add(list, json_name(name, state));
		free(state);
	}
	if (d)
		closedir(d);
}

static int list_long(struct cli *cli, const info_t *v, unsigned int n)
{
	struct json_object *a = json_object_new_array();

	for (unsigned int i = 0; i < n; i++) {
		struct json_object *o = json_object_new_object();
		struct domain_config c;

		json_put(o, "domid", json_u64(v[i].domain));
		/* A domain another tool made has no record: show what the hypervisor knows, do not fail. */
		if (record_load(&cli->s, v[i].domain, &c) == 0) {
			json_put(o, "config", config_to_json_object(&c));
			config_free(&c);
		} else {
			json_put(o, "config", NULL);
		}
		json_put(o, "state", json_row(cli, &v[i]));
		json_object_array_add(a, o);
	}
	return print_json(a);
}

VERB(list)
{
	static const struct option opts[] = {{"long", 0, NULL, 'l'},    {"verbose", 0, NULL, 'v'},
					     {"context", 0, NULL, 'Z'}, {"cpupool", 0, NULL, 'c'},
					     {"numa", 0, NULL, 'n'},    {0}};
	bool lng = false, verbose = false, pool = false, label = false, numa = false;
	info_t *all, *v;
	unsigned int n, used = 0;
	int o, rc;

	while ((o = cli_option(cli, argc, argv, "lvZcn", opts)) != -1) {
		if (o == -2)
			return 1;
		lng |= o == 'l';
		verbose |= o == 'v';
		label |= o == 'Z';
		pool |= o == 'c';
		numa |= o == 'n';
	}
	rc = domain_list(&cli->s, &all, &n);
	if (rc < 0)
		return rc;
	v = calloc(n + argc, sizeof(*v));
	for (int i = optind; v && i < argc && rc >= 0; i++) {
		domid_t dom;

		rc = cli_domain(cli, argv[i], &dom);
		if (rc >= 0)
			rc = xc_domain_info(cli->s.xc, dom, &v[used++]);
	}
	if (v && optind == argc) {
		memcpy(v, all, n * sizeof(*v));
		used = n;
	}
	free(all);
	if (!v || rc < 0) {
		free(v);
		return rc < 0 ? rc : -1;
	}
	if (lng) {
		rc = list_long(cli, v, used);
	} else if (cli->json) {
		struct json_object *a = json_object_new_array();

		for (unsigned int i = 0; i < used; i++)
			json_object_array_add(a, json_row(cli, &v[i]));
		if (optind == argc)
			json_held(cli, a, v, used);
		rc = print_json(a);
	} else {
		printf("Name                                        ID   Mem VCPUs\tState\tTime(s)");
		if (verbose)
			printf("   UUID                            Reason-Code\tSecurity Label");
		if (label && !verbose)
			printf("   Security Label");
		if (pool)
			printf("         Cpupool");
		if (numa)
			printf(" NODE Affinity");
		putchar('\n');
		for (unsigned int i = 0; i < used; i++)
			print_row(cli, &v[i], verbose, pool, label, numa);
	}
	free(v);
	return rc;
}

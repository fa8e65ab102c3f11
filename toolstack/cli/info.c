/* SPDX-License-Identifier: GPL-2.0-or-later */
/* serai info: this host, in xl's lines. */
#include "cli.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#define LOG_STEP 16384

struct host {
	struct xen_sysctl_physinfo ph;
	struct xc_version v;
	struct utsname u;
	unsigned int sched, free_cpus;
};

static const char *sched_name(unsigned int id)
{
	static const char *const names[] = {
		[5] = "credit", [6] = "credit2", [7] = "arinc653", [8] = "rtds", [9] = "null"};

	return id >= 5 && id <= 9 ? names[id] : "unknown";
}

static void virt_caps(const struct xen_sysctl_physinfo *ph, char *t, size_t len)
{
	static const struct {
		unsigned int bit;
		const char *name;
	} caps[] = {{XEN_SYSCTL_PHYSCAP_pv, "pv"},
		    {XEN_SYSCTL_PHYSCAP_hvm, "hvm"},
		    {XEN_SYSCTL_PHYSCAP_directio, "hvm_directio"},
		    {XEN_SYSCTL_PHYSCAP_hap, "hap"},
		    {XEN_SYSCTL_PHYSCAP_shadow, "shadow"},
		    {XEN_SYSCTL_PHYSCAP_iommu_hap_pt_share, "iommu_hap_pt_share"},
		    {XEN_SYSCTL_PHYSCAP_vmtrace, "vmtrace"},
		    {XEN_SYSCTL_PHYSCAP_vpmu, "vpmu"},
		    {XEN_SYSCTL_PHYSCAP_gnttab_v1, "gnttab-v1"},
		    {XEN_SYSCTL_PHYSCAP_gnttab_v2, "gnttab-v2"}};
	size_t n = 0;

	t[0] = 0;
	for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++)
		if (ph->capabilities & caps[i].bit && n < len)
			n += snprintf(t + n, len - n, "%s%s", n ? " " : "", caps[i].name);
}

static int host_read(struct cli *cli, struct host *h)
{
	uint8_t map[128] = {0};
	int rc;

	memset(h, 0, sizeof(*h));
	uname(&h->u);
	if ((rc = xc_physinfo(cli->s.xc, &h->ph)) < 0 || (rc = xc_version(cli->s.xc, &h->v)) < 0 ||
	    (rc = xc_scheduler(cli->s.xc, &h->sched)) < 0)
		return serai_fail_xc(&cli->s, rc, "no answer from the hypervisor");
	if (xc_cpupool_free_cpus(cli->s.xc, map, h->ph.max_cpu_id + 1) == 0)
		for (unsigned int i = 0; i <= h->ph.max_cpu_id && i < sizeof(map) * 8; i++)
			h->free_cpus += map[i / 8] >> i % 8 & 1;
	return 0;
}

struct line {
	const char *key;
	bool number;
	char value[1100];
};

/* All lines of the plain form; the JSON form has the same keys. */
static unsigned int host_lines(const struct host *h, struct line *l)
{
	unsigned int n = 0;
	const uint32_t *c = h->ph.hw_cap;

#define LINE(k, ...) (l[n].key = (k), snprintf(l[n++].value, sizeof(l[0].value), __VA_ARGS__))
#define NUMBER(k, ...) (l[n].number = true, LINE(k, __VA_ARGS__))
	LINE("host", "%s", h->u.nodename);
	LINE("release", "%s", h->u.release);
	LINE("version", "%s", h->u.version);
	LINE("machine", "%s", h->u.machine);
	NUMBER("nr_cpus", "%u", h->ph.nr_cpus);
	NUMBER("max_cpu_id", "%u", h->ph.max_cpu_id);
	NUMBER("nr_nodes", "%u", h->ph.nr_nodes);
	NUMBER("cores_per_socket", "%u", h->ph.cores_per_socket);
	NUMBER("threads_per_core", "%u", h->ph.threads_per_core);
	NUMBER("cpu_mhz", "%u.%03u", h->ph.cpu_khz / 1000, h->ph.cpu_khz % 1000);
	LINE("hw_caps", "%08x:%08x:%08x:%08x:%08x:%08x:%08x:%08x", c[0], c[1], c[2], c[3], c[4], c[5], c[6],
	     c[7]);
	l[n].key = "virt_caps";
	virt_caps(&h->ph, l[n].value, sizeof(l[n].value));
	n++;
	NUMBER("total_memory", "%lu", (unsigned long)(h->ph.total_pages >> 8));
	NUMBER("free_memory", "%lu", (unsigned long)(h->ph.free_pages - h->ph.outstanding_pages) >> 8);
	NUMBER("sharing_freed_memory", "0");
	NUMBER("sharing_used_memory", "0");
	NUMBER("outstanding_claims", "%lu", (unsigned long)(h->ph.outstanding_pages >> 8));
	NUMBER("free_cpus", "%u", h->free_cpus);
	NUMBER("xen_major", "%u", h->v.major);
	NUMBER("xen_minor", "%u", h->v.minor);
	LINE("xen_extra", "%s", h->v.extra);
	LINE("xen_version", "%u.%u%s", h->v.major, h->v.minor, h->v.extra);
	LINE("xen_caps", "%s", h->v.caps);
	LINE("xen_scheduler", "%s", sched_name(h->sched));
	NUMBER("xen_pagesize", "%u", h->v.pagesize);
	LINE("platform_params", "virt_start=0x%lx", (unsigned long)h->v.virt_start);
	LINE("xen_changeset", "%s", h->v.changeset);
	LINE("xen_commandline", "%s", h->v.commandline);
	LINE("cc_compiler", "%s", h->v.compile.compiler);
	LINE("cc_compile_by", "%s", h->v.compile.compile_by);
	LINE("cc_compile_domain", "%s", h->v.compile.compile_domain);
	LINE("cc_compile_date", "%s", h->v.compile.compile_date);
	LINE("build_id", "%s", h->v.build_id);
	NUMBER("xend_config_format", "4");
#undef LINE
#undef NUMBER
	return n;
}

#define CPUS_MAX 256
#define NODES_MAX 16

struct topology {
	xen_sysctl_cputopo_t cpu[CPUS_MAX];
	xen_sysctl_meminfo_t mem[NODES_MAX];
	uint32_t distance[NODES_MAX * NODES_MAX]; /* rows of nr_nodes */
	unsigned int nr_cpus, nr_nodes;
};

static int topology_read(struct cli *cli, struct topology *t)
{
	int rc;

	t->nr_cpus = CPUS_MAX;
	t->nr_nodes = NODES_MAX;
	if ((rc = xc_cputopo(cli->s.xc, t->cpu, &t->nr_cpus)) < 0 ||
	    (rc = xc_numainfo(cli->s.xc, t->mem, t->distance, &t->nr_nodes)) < 0)
		return serai_fail_xc(&cli->s, rc, "no topology");
	if (t->nr_cpus > CPUS_MAX)
		t->nr_cpus = CPUS_MAX;
	if (t->nr_nodes > NODES_MAX)
		t->nr_nodes = NODES_MAX;
	return 0;
}

static void print_numa(const struct topology *t)
{
	printf("cpu_topology           :\ncpu:    core    socket     node\n");
	for (unsigned int i = 0; i < t->nr_cpus; i++)
		if (t->cpu[i].core != XEN_INVALID_CORE_ID)
			printf("%3u:    %4u     %4u     %4u\n", i, t->cpu[i].core, t->cpu[i].socket,
			       t->cpu[i].node);
	printf("device topology        :\ndevice           node\nNo device topology data available\n");
	printf("numa_info              :\nnode:    memsize    memfree    distances\n");
	for (unsigned int i = 0; i < t->nr_nodes; i++) {
		printf("%4u:    %6lu     %6lu      ", i, (unsigned long)(t->mem[i].memsize >> 20),
		       (unsigned long)(t->mem[i].memfree >> 20));
		for (unsigned int k = 0; k < t->nr_nodes; k++)
			printf("%s%u", k ? "," : "", t->distance[i * t->nr_nodes + k]);
		putchar('\n');
	}
}

/* Of CPUs, nodes and distances the hypervisor says all ones when it does not know. */
static struct json_object *known(uint32_t v)
{
	return v == ~0u ? NULL : json_u64(v);
}

static struct json_object *cpus_json(const struct topology *t)
{
	struct json_object *list = json_object_new_array();

	for (unsigned int i = 0; i < t->nr_cpus; i++) {
		struct json_object *o;

		if (t->cpu[i].core == XEN_INVALID_CORE_ID)
			continue;
		o = json_object_new_object();
		json_put(o, "cpu", json_u64(i));
		json_put(o, "core", json_u64(t->cpu[i].core));
		json_put(o, "socket", known(t->cpu[i].socket));
		json_put(o, "node", known(t->cpu[i].node));
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *nodes_json(const struct topology *t)
{
	struct json_object *list = json_object_new_array();

	for (unsigned int i = 0; i < t->nr_nodes; i++) {
		struct json_object *o = json_object_new_object(), *d = json_object_new_array();

		for (unsigned int k = 0; k < t->nr_nodes; k++)
			json_object_array_add(d, known(t->distance[i * t->nr_nodes + k]));
		json_put(o, "node", json_u64(i));
		json_put(o, "memsize", json_u64(t->mem[i].memsize >> 20));
		json_put(o, "memfree", json_u64(t->mem[i].memfree >> 20));
		json_put(o, "distances", d);
		json_object_array_add(list, o);
	}
	return list;
}

/* The types are the keys': a host may be called 7. */
static int info_json(const struct line *l, unsigned int n, const struct topology *t)
{
	struct json_object *j = json_object_new_object();

	for (unsigned int i = 0; i < n; i++) {
		bool whole = !strchr(l[i].value, '.');

		json_put(j, l[i].key,
			 !l[i].number ? json_str(l[i].value)
			 : whole      ? json_u64(strtoull(l[i].value, NULL, 10))
				      : json_fixed(strtod(l[i].value, NULL), "%.3f"));
	}
	json_put(j, "cpu_topology", t ? cpus_json(t) : NULL);
	json_put(j, "numa_info", t ? nodes_json(t) : NULL);
	return print_json(j);
}

VERB(info)
{
	static const struct option opts[] = {{"numa", 0, NULL, 'n'}, {0}};
	struct topology *t = NULL;
	struct host h;
	struct line *l;
	unsigned int n = 0;
	bool numa = false;
	int o, rc;

	while ((o = cli_option(cli, argc, argv, "n", opts)) != -1) {
		if (o == -2)
			return 1;
		numa |= o == 'n';
	}
	rc = host_read(cli, &h);
	if (rc < 0)
		return rc;
	l = calloc(40, sizeof(*l));
	if (numa)
		t = calloc(1, sizeof(*t));
	if (!l || (numa && !t))
		rc = -ENOMEM;
	else if (!numa || (rc = topology_read(cli, t)) == 0)
		n = host_lines(&h, l);
	if (rc == 0 && cli->json)
		rc = info_json(l, n, t);
	else
		for (unsigned int i = 0; rc == 0 && i < n; i++) {
			/* The topology stands where xl puts it: before the version. */
			if (t && !strcmp(l[i].key, "xen_major"))
				print_numa(t);
			printf("%-23s: %s\n", l[i].key, l[i].value);
		}
	free(t);
	free(l);
	return rc;
}

struct log {
	char *text;
	size_t len;
	uint32_t index;
};

/* All of it. What is cleared is what was read. */
static int log_read(struct cli *cli, bool clear, struct log *l)
{
	for (;;) {
		char *more = realloc(l->text, l->len + LOG_STEP + 1);
		size_t len = LOG_STEP;
		int rc;

		if (!more)
			return -ENOMEM;
		l->text = more;
		rc = xc_readconsole(cli->s.xc, l->text + l->len, &len, clear && !cli->dry_run, true,
				    &l->index);
		if (rc < 0)
			return serai_fail_xc(&cli->s, rc, "the log cannot be read");
		l->len += len;
		if (!len)
			return 0;
	}
}

static int log_json(struct log *l)
{
	struct json_object *o = json_object_new_object(), *lines = json_object_new_array();
	char *at = l->text, *end = at + l->len;

	/* Room for this was left. A zero inside would end the string; a byte that is no text ends up as U+FFFD. */
	*end = 0;
	for (char *p = at; (p = memchr(p, 0, end - p)); p++)
		*p = (char)0xff;
	while (at < end) {
		char *line = strsep(&at, "\n");

		json_object_array_add(lines, json_str(line));
		if (!at)
			break;
	}
	json_put(o, "lines", lines);
	return print_json(o);
}

VERB(dmesg)
{
	static const struct option opts[] = {{"clear", 0, NULL, 'c'}, {0}};
	bool clear = false;
	struct log l = {0};
	int o, rc;

	while ((o = cli_option(cli, argc, argv, "c", opts)) != -1) {
		if (o == -2)
			return 1;
		clear |= o == 'c';
	}
	rc = log_read(cli, clear, &l);
	/* What was cleared is shown, whatever came next. */
	if (l.text && cli->json)
		log_json(&l);
	else if (l.text)
		fwrite(l.text, 1, l.len, stdout);
	free(l.text);
	return rc;
}

VERB(debug_keys)
{
	int rc;

	if (cli_option(cli, argc, argv, "", NULL) == -2 ||
	    cli_operands(command_find("debug-keys"), argc, 1, 1))
		return 1;
	rc = cli->dry_run ? 0 : xc_debug_keys(cli->s.xc, argv[optind]);
	return rc < 0 ? serai_fail_xc(&cli->s, rc, "keys \"%s\" refused", argv[optind]) : 0;
}

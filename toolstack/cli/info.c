/* SPDX-License-Identifier: GPL-2.0-or-later */
/* serai info: this host, in xl's lines. */
#include "cli.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

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
	char value[1100];
};

/* All lines of the plain form; the JSON form has the same keys. */
static unsigned int host_lines(const struct host *h, struct line *l)
{
	unsigned int n = 0;
	const uint32_t *c = h->ph.hw_cap;

#define LINE(k, ...) (l[n].key = (k), snprintf(l[n++].value, sizeof(l[0].value), __VA_ARGS__))
	LINE("host", "%s", h->u.nodename);
	LINE("release", "%s", h->u.release);
	LINE("version", "%s", h->u.version);
	LINE("machine", "%s", h->u.machine);
	LINE("nr_cpus", "%u", h->ph.nr_cpus);
	LINE("max_cpu_id", "%u", h->ph.max_cpu_id);
	LINE("nr_nodes", "%u", h->ph.nr_nodes);
	LINE("cores_per_socket", "%u", h->ph.cores_per_socket);
	LINE("threads_per_core", "%u", h->ph.threads_per_core);
	LINE("cpu_mhz", "%u.%03u", h->ph.cpu_khz / 1000, h->ph.cpu_khz % 1000);
	LINE("hw_caps", "%08x:%08x:%08x:%08x:%08x:%08x:%08x:%08x", c[0], c[1], c[2], c[3], c[4], c[5], c[6],
	     c[7]);
	l[n].key = "virt_caps";
	virt_caps(&h->ph, l[n].value, sizeof(l[n].value));
	n++;
	LINE("total_memory", "%lu", (unsigned long)(h->ph.total_pages >> 8));
	LINE("free_memory", "%lu", (unsigned long)(h->ph.free_pages - h->ph.outstanding_pages) >> 8);
	LINE("sharing_freed_memory", "0");
	LINE("sharing_used_memory", "0");
	LINE("outstanding_claims", "%lu", (unsigned long)(h->ph.outstanding_pages >> 8));
	LINE("free_cpus", "%u", h->free_cpus);
	LINE("xen_major", "%u", h->v.major);
	LINE("xen_minor", "%u", h->v.minor);
	LINE("xen_extra", "%s", h->v.extra);
	LINE("xen_version", "%u.%u%s", h->v.major, h->v.minor, h->v.extra);
	LINE("xen_caps", "%s", h->v.caps);
	LINE("xen_scheduler", "%s", sched_name(h->sched));
	LINE("xen_pagesize", "%u", h->v.pagesize);
	LINE("platform_params", "virt_start=0x%lx", (unsigned long)h->v.virt_start);
	LINE("xen_changeset", "%s", h->v.changeset);
	LINE("xen_commandline", "%s", h->v.commandline);
	LINE("cc_compiler", "%s", h->v.compile.compiler);
	LINE("cc_compile_by", "%s", h->v.compile.compile_by);
	LINE("cc_compile_domain", "%s", h->v.compile.compile_domain);
	LINE("cc_compile_date", "%s", h->v.compile.compile_date);
	LINE("build_id", "%s", h->v.build_id);
	LINE("xend_config_format", "4");
#undef LINE
	return n;
}

static int print_numa(struct cli *cli)
{
	xen_sysctl_cputopo_t topo[256];
	xen_sysctl_meminfo_t mem[16];
	uint32_t dist[16 * 16];
	unsigned int n = 256, nodes = 16;
	int rc;

	if ((rc = xc_cputopo(cli->s.xc, topo, &n)) < 0 ||
	    (rc = xc_numainfo(cli->s.xc, mem, dist, &nodes)) < 0)
		return serai_fail_xc(&cli->s, rc, "no topology");
	printf("cpu_topology           :\ncpu:    core    socket     node\n");
	for (unsigned int i = 0; i < n && i < 256; i++)
		if (topo[i].core != XEN_INVALID_CORE_ID)
			printf("%3u:    %4u     %4u     %4u\n", i, topo[i].core, topo[i].socket,
			       topo[i].node);
	printf("device topology        :\ndevice           node\nNo device topology data available\n");
	printf("numa_info              :\nnode:    memsize    memfree    distances\n");
	for (unsigned int i = 0; i < nodes; i++) {
		printf("%4u:    %6lu     %6lu      ", i, (unsigned long)(mem[i].memsize >> 20),
		       (unsigned long)(mem[i].memfree >> 20));
		for (unsigned int k = 0; k < nodes; k++)
			printf("%s%u", k ? "," : "", dist[i * nodes + k]);
		putchar('\n');
	}
	return 0;
}

VERB(info)
{
	static const struct option opts[] = {{"numa", 0, NULL, 'n'}, {0}};
	struct host h;
	struct line *l;
	unsigned int n;
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
	if (!l)
		return -ENOMEM;
	n = host_lines(&h, l);
	if (cli->json) {
		struct json_object *j = json_object_new_object();

		for (unsigned int i = 0; i < n; i++) {
			char *end;
			unsigned long v = strtoul(l[i].value, &end, 10);

			json_put(j, l[i].key, *l[i].value && !*end ? json_u64(v) : json_str(l[i].value));
		}
		print_json(j);
	} else {
		for (unsigned int i = 0; i < n; i++) {
			/* The topology stands where xl puts it: before the version. */
			if (numa && !strcmp(l[i].key, "xen_major"))
				rc = print_numa(cli);
			printf("%-23s: %s\n", l[i].key, l[i].value);
		}
	}
	free(l);
	return rc;
}

VERB(dmesg)
{
	static const struct option opts[] = {{"clear", 0, NULL, 'c'}, {0}};
	bool clear = false;
	uint32_t index = 0;
	int o, rc;

	while ((o = cli_option(cli, argc, argv, "c", opts)) != -1) {
		if (o == -2)
			return 1;
		clear |= o == 'c';
	}
	for (;;) {
		char buf[16384];
		size_t len = sizeof(buf);

		/* What is cleared is what was read. */
		rc = xc_readconsole(cli->s.xc, buf, &len, clear && !cli->dry_run, true, &index);
		if (rc < 0)
			return serai_fail_xc(&cli->s, rc, "the log cannot be read");
		if (!len)
			return 0;
		fwrite(buf, 1, len, stdout);
	}
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

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* serai top and serai metrics. */
#include "screen.h"
#include "stats.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

static int sort_key = 'c';

static int order(const void *a, const void *b)
{
	const struct domain_stats *x = a, *y = b;

	switch (sort_key) {
	case 'm':
		return (y->mem_kib > x->mem_kib) - (y->mem_kib < x->mem_kib);
	case 'n':
		return (y->net_rx + y->net_tx > x->net_rx + x->net_tx) -
		       (y->net_rx + y->net_tx < x->net_rx + x->net_tx);
	case 'd':
		return (y->disk_read + y->disk_write > x->disk_read + x->disk_write) -
		       (y->disk_read + y->disk_write < x->disk_read + x->disk_write);
	case 'i':
		return x->dom - y->dom;
	default:
		return (y->cpu_percent > x->cpu_percent) - (y->cpu_percent < x->cpu_percent);
	}
}

static const char heading[] = "      NAME  STATE   CPU(sec) CPU(%)     MEM(k) MEM(%)  MAXMEM(k) VCPUS  "
			      "NETTX(k)  NETRX(k)  VBD_RD(k)  VBD_WR(k)";

static void row_text(const struct domain_stats *d, const struct sample *s, char *t, size_t len)
{
	char state[7] = "------";
	double total = s->host.total_pages * 4.0;

	if (d->flags & XEN_DOMINF_dying)
		state[0] = 'd';
	if (d->flags & XEN_DOMINF_shutdown)
		state[1] = 's';
	if (d->flags & XEN_DOMINF_blocked)
		state[2] = 'b';
	if (d->flags & XEN_DOMINF_paused)
		state[4] = 'p';
	if (d->flags & XEN_DOMINF_running)
		state[5] = 'r';
	snprintf(t, len, "%10.10s %s %10lu %6.1f %10lu %6.1f %10lu %5u %9lu %9lu %10lu %10lu", d->name, state,
		 (unsigned long)(d->cpu_ns / 1000000000), d->cpu_percent, (unsigned long)d->mem_kib,
		 total ? d->mem_kib * 100.0 / total : 0, (unsigned long)d->max_kib, d->vcpus,
		 (unsigned long)(d->net_tx >> 10), (unsigned long)(d->net_rx >> 10),
		 (unsigned long)(d->disk_read >> 10), (unsigned long)(d->disk_write >> 10));
}

/* The last vCPU is the one behind which there is none. */
static struct json_object *vcpus_json(struct cli *cli, domid_t dom)
{
	struct json_object *list = json_object_new_array();
	struct xen_domctl_getvcpuinfo i;

	for (unsigned int v = 0; xc_vcpu_info(cli->s.xc, dom, v, &i) >= 0; v++) {
		struct json_object *o = json_object_new_object();

		json_put(o, "vcpu", json_u64(v));
		json_put(o, "cpu", i.online ? json_u64(i.cpu) : NULL);
		json_put(o, "state", json_str(vcpu_state(&i)));
		json_put(o, "cpu_seconds", json_object_new_double(i.cpu_time / 1e9));
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *row_json(struct cli *cli, const struct domain_stats *d, bool vcpus)
{
	struct json_object *o = json_object_new_object();

	json_put(o, "domid", json_u64(d->dom));
	json_put(o, "name", json_str(d->name));
	json_put(o, "cpu_seconds", json_object_new_double(d->cpu_ns / 1e9));
	json_put(o, "cpu_percent", json_object_new_double(d->cpu_percent));
	json_put(o, "memory_kib", json_u64(d->mem_kib));
	json_put(o, "memory_max_kib", json_u64(d->max_kib));
	json_put(o, "vcpus", json_u64(d->vcpus));
	json_put(o, "net_rx_bytes", json_u64(d->net_rx));
	json_put(o, "net_tx_bytes", json_u64(d->net_tx));
	json_put(o, "disk_read_bytes", json_u64(d->disk_read));
	json_put(o, "disk_write_bytes", json_u64(d->disk_write));
	json_put(o, "vcpu_list", vcpus ? vcpus_json(cli, d->dom) : NULL);
	return o;
}

static void vcpu_rows(struct cli *cli, const struct domain_stats *d, void (*out)(const char *))
{
	for (unsigned int v = 0; v < 128; v++) {
		struct xen_domctl_getvcpuinfo i;
		char t[80];

		if (xc_vcpu_info(cli->s.xc, d->dom, v, &i) < 0)
			break;
		snprintf(t, sizeof(t), "           vCPU %3u  %-8s  cpu %3u  %10lu s", v, vcpu_state(&i),
			 i.online ? i.cpu : 0, (unsigned long)(i.cpu_time / 1000000000));
		out(t);
	}
}

static void out_plain(const char *t)
{
	puts(t);
}

static void draw(struct cli *cli, struct sample *s, bool vcpus, void (*out)(const char *))
{
	char t[256];

	qsort(s->v, s->n, sizeof(*s->v), order);
	snprintf(t, sizeof(t), "%u domains; memory: %luk total, %luk free; CPUs: %u @ %uMHz", s->n,
		 (unsigned long)s->host.total_pages * 4, (unsigned long)s->host.free_pages * 4,
		 s->host.nr_cpus, s->host.cpu_khz / 1000);
	out(t);
	out(heading);
	for (unsigned int i = 0; i < s->n; i++) {
		row_text(&s->v[i], s, t, sizeof(t));
		out(t);
		if (vcpus)
			vcpu_rows(cli, &s->v[i], out);
	}
}

/* Wait for a key or the next round. */
static bool wait_key(int delay_ms, bool *vcpus)
{
	struct pollfd p = {STDIN_FILENO, POLLIN, 0};
	int k;

	if (poll(&p, 1, delay_ms) <= 0)
		return true;
	while ((k = screen_key()) >= 0) {
		if (k == 'q' || k == 27)
			return false;
		if (k == 'v')
			*vcpus = !*vcpus;
		else if (k == 'c' || k == 'm' || k == 'n' || k == 'd' || k == 'i')
			sort_key = k;
	}
	return true;
}

static int watch(struct cli *cli, int rounds, int delay_ms, bool vcpus)
{
	struct sample now = {0}, before = {0};
	int rc = screen_open();

	if (rc < 0)
		return serai_fail(
			&cli->s, rc,
			"the screen is drawn by libncursesw6, which is not installed: try serai top -b");
	do {
		rc = sample_take(cli, &now, before.v ? &before : NULL);
		if (rc < 0)
			break;
		screen_clear();
		draw(cli, &now, vcpus, screen_line);
		screen_show("q quit  sort: c cpu  m memory  n net  d disk  i id   v vCPUs");
		sample_free(&before);
		before = now;
		now.v = NULL;
	} while (--rounds && wait_key(delay_ms, &vcpus));
	screen_close();
	sample_free(&before);
	return rc;
}

static int batch(struct cli *cli, int rounds, int delay_ms, bool vcpus)
{
	struct sample now = {0}, before = {0};
	int rc;

	do {
		if (before.v)
			poll(NULL, 0, delay_ms);
		rc = sample_take(cli, &now, before.v ? &before : NULL);
		if (rc < 0)
			break;
		if (cli->json) {
			struct json_object *a = json_object_new_array();

			for (unsigned int i = 0; i < now.n; i++)
				json_object_array_add(a, row_json(cli, &now.v[i], vcpus));
			print_json(a);
		} else {
			draw(cli, &now, vcpus, out_plain);
		}
		fflush(stdout);
		sample_free(&before);
		before = now;
		now.v = NULL;
	} while (--rounds);
	sample_free(&before);
	return rc;
}

VERB(top)
{
	static const struct option opts[] = {{"batch", 0, NULL, 'b'},
					     {"iterations", 1, NULL, 'i'},
					     {"delay", 1, NULL, 'd'},
					     {"vcpus", 0, NULL, 'v'},
					     {0}};
	bool plain = false, vcpus = false;
	int o, rounds = 0, delay = 3000;

	while ((o = cli_option(cli, argc, argv, "bi:d:v", opts)) != -1) {
		if (o == -2)
			return 1;
		plain |= o == 'b';
		vcpus |= o == 'v';
		if (o == 'i')
			rounds = atoi(optarg);
		if (o == 'd')
			delay = atof(optarg) * 1000;
	}
	if (delay < 100)
		delay = 100;
	if (plain || cli->json || !isatty(STDOUT_FILENO))
		return batch(cli, rounds ? rounds : plain ? 0 : 2, delay, vcpus);
	return watch(cli, rounds, delay, vcpus);
}

/* -------- metrics -------- */

static void label_text(const char *s, char *t, size_t len)
{
	size_t n = 0;

	for (; *s && n + 2 < len; s++) {
		if (*s == '"' || *s == '\\')
			t[n++] = '\\';
		t[n++] = *s == '\n' ? ' ' : *s;
	}
	t[n] = 0;
}

static void metric(const struct sample *s, const char *name, const char *type, const char *help,
		   double (*value)(const struct domain_stats *))
{
	char label[160];

	printf("# TYPE %s %s\n# HELP %s %s\n", name, type, name, help);
	for (unsigned int i = 0; i < s->n; i++) {
		label_text(s->v[i].name, label, sizeof(label));
		printf("%s%s{domain=\"%s\",domid=\"%u\"} %.9g\n", name,
		       !strcmp(type, "counter") ? "_total" : "", label, s->v[i].dom, value(&s->v[i]));
	}
}

#define FIELD(fn, expression)                          \
	static double fn(const struct domain_stats *d) \
	{                                              \
		return expression;                     \
	}
FIELD(m_cpu, d->cpu_ns / 1e9)
FIELD(m_mem, d->mem_kib * 1024.0)
FIELD(m_max, d->max_kib * 1024.0)
FIELD(m_vcpus, d->vcpus)
FIELD(m_rx, d->net_rx)
FIELD(m_tx, d->net_tx)
FIELD(m_rd, d->disk_read)
FIELD(m_wr, d->disk_write)
#undef FIELD

VERB(metrics)
{
	struct sample s = {0};
	int rc;

	if (cli_option(cli, argc, argv, "", NULL) == -2)
		return 1;
	rc = sample_take(cli, &s, NULL);
	if (rc < 0)
		return rc;
	metric(&s, "serai_domain_cpu_seconds", "counter", "CPU time the domain has used.", m_cpu);
	metric(&s, "serai_domain_memory_bytes", "gauge", "Memory the domain has.", m_mem);
	metric(&s, "serai_domain_memory_max_bytes", "gauge", "Memory the domain may have.", m_max);
	metric(&s, "serai_domain_vcpus", "gauge", "Online vCPUs.", m_vcpus);
	metric(&s, "serai_domain_network_receive_bytes", "counter", "Bytes the domain received.", m_rx);
	metric(&s, "serai_domain_network_transmit_bytes", "counter", "Bytes the domain sent.", m_tx);
	metric(&s, "serai_domain_disk_read_bytes", "counter", "Bytes the domain read.", m_rd);
	metric(&s, "serai_domain_disk_written_bytes", "counter", "Bytes the domain wrote.", m_wr);
	printf("# TYPE serai_host_memory_bytes gauge\n# HELP serai_host_memory_bytes Memory of the host.\n"
	       "serai_host_memory_bytes{kind=\"total\"} %lu\nserai_host_memory_bytes{kind=\"free\"} %lu\n",
	       (unsigned long)s.host.total_pages * 4096, (unsigned long)s.host.free_pages * 4096);
	printf("# TYPE serai_host_cpus gauge\n# HELP serai_host_cpus Online CPUs of the "
	       "host.\nserai_host_cpus %u\n# EOF\n",
	       s.host.nr_cpus);
	sample_free(&s);
	return 0;
}

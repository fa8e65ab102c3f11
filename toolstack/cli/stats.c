/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sampling. CPU and memory come from the hypervisor, disk and network counters from dom0's backends:
 * /sys/class/net/vifD.N/statistics and /sys/bus/xen-backend/devices/vbd-D-N/statistics.
 */
#include "stats.h"

#include <dirent.h>
#include <string.h>
#include <time.h>

static uint64_t number(const char *dir, const char *file)
{
	char path[256];
	unsigned long v = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%lu", &v) != 1)
		v = 0;
	fclose(f);
	return v;
}

static struct domain_stats *find(struct sample *s, unsigned int dom)
{
	for (unsigned int i = 0; i < s->n; i++)
		if (s->v[i].dom == dom)
			return &s->v[i];
	return NULL;
}

static void each(const char *root, const char *format, struct sample *s,
		 void (*add)(struct domain_stats *, const char *))
{
	DIR *d = opendir(root);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		unsigned int dom, id;
		struct domain_stats *t;
		char path[512];

		if (sscanf(e->d_name, format, &dom, &id) != 2 || !(t = find(s, dom)))
			continue;
		snprintf(path, sizeof(path), "%s/%s/statistics", root, e->d_name);
		add(t, path);
	}
	if (d)
		closedir(d);
}

/* What dom0 receives on a vif the guest sent. */
static void add_net(struct domain_stats *t, const char *dir)
{
	t->nets++;
	t->net_tx += number(dir, "rx_bytes");
	t->net_rx += number(dir, "tx_bytes");
}

static void add_disk(struct domain_stats *t, const char *dir)
{
	t->disks++;
	t->disk_read += number(dir, "rd_sect") * 512;
	t->disk_write += number(dir, "wr_sect") * 512;
}

int sample_take(struct cli *cli, struct sample *s, const struct sample *before)
{
	struct xen_domctl_getdomaininfo *list;
	struct timespec t;
	int rc = domain_list(&cli->s, &list, &s->n);

	if (rc < 0)
		return rc;
	clock_gettime(CLOCK_MONOTONIC, &t);
	s->at_ns = t.tv_sec * 1000000000ull + t.tv_nsec;
	s->v = calloc(s->n + 1, sizeof(*s->v));
	if (!s->v) {
		free(list);
		return serai_fail(&cli->s, -1, "out of memory");
	}
	for (unsigned int i = 0; i < s->n; i++) {
		struct domain_stats *d = &s->v[i];
		char *name = domain_name(&cli->s, list[i].domain);

		snprintf(d->name, sizeof(d->name), "%s", name);
		free(name);
		d->dom = list[i].domain;
		d->flags = list[i].flags;
		d->cpu_ns = list[i].cpu_time;
		d->mem_kib = list[i].tot_pages * 4;
		d->max_kib = list[i].max_pages * 4;
		d->vcpus = list[i].nr_online_vcpus;
		for (unsigned int k = 0; before && k < before->n; k++)
			if (before->v[k].dom == d->dom && s->at_ns > before->at_ns)
				d->cpu_percent = (d->cpu_ns - before->v[k].cpu_ns) * 100.0 /
						 (s->at_ns - before->at_ns);
	}
	free(list);
	each("/sys/class/net", "vif%u.%u", s, add_net);
	each("/sys/bus/xen-backend/devices", "vbd-%u-%u", s, add_disk);
	rc = xc_physinfo(cli->s.xc, &s->host);
	return rc < 0 ? serai_fail_xc(&cli->s, rc, "no answer from the hypervisor") : 0;
}

void sample_free(struct sample *s)
{
	free(s->v);
	s->v = NULL;
	s->n = 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* serai save, restore, stream check. */
#include "cli.h"
#include "../lib/guardian.h"
#include "../stream/reader.h"
#include "../stream/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PHASE_SAVING = 1, PHASE_ASKED };

/* In the guardian: the saver was killed. What it wrote is not whole; the domain goes on living. */
static void bereaved(struct serai *s, void *arg, const struct guardian_note *last)
{
	int rc = save_abandon(s, last->dom, last->phase == PHASE_ASKED);

	if (arg)
		unlink(arg);
	fprintf(stderr, "serai save was killed; %s\n", rc < 0 ? s->error : "the domain runs on");
}

static void suspending(void *arg, domid_t dom)
{
	guardian_note(arg, PHASE_ASKED, dom);
}

static int save_to(struct cli *cli, domid_t dom, const char *file, const struct domain_config *c,
		   bool checkpoint, bool paused, int lock)
{
	struct guardian guard = {.fd = -1};
	struct save_options o = {
		.progress = progress_show, .suspending = suspending, .suspending_arg = &guard};
	struct save_stats st;
	bool suspended, direct;
	struct stat sb;
	char *part = NULL;
	int fd, rc;

	/*
	 * Written under another name, so that a file called `file` is always whole. What is there and no file (a
	 * pipe, a device) is written as it stands.
	 */
	direct = stat(file, &sb) == 0 && !S_ISREG(sb.st_mode);
	if (asprintf(&part, "%s%s", file, direct ? "" : ".part") < 0)
		return -ENOMEM;
	fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0) {
		rc = serai_fail(&cli->s, -errno, "%s: %s", part, strerror(errno));
		free(part);
		return rc;
	}
	fprintf(stderr, "Saving to %s new xl format (info 0x%x/0x%x/%u)\n", file, 3, 0, 0U);
	suspended = false;
	rc = guardian_start(&cli->s, &guard, c->name, lock, bereaved, direct ? NULL : part);
	if (rc == 0) {
		guardian_note(&guard, PHASE_SAVING, dom);
		rc = save_header(&cli->s, c, fd);
	}
	if (rc == 0)
		rc = save_domain(&cli->s, dom, fd, &o, &st, &suspended);
	if (rc == 0 && (fsync(fd) < 0 && errno != EINVAL))
		rc = serai_fail(&cli->s, -errno, "%s: %s", part, strerror(errno));
	if (close(fd) < 0 && rc == 0)
		rc = serai_fail(&cli->s, -errno, "%s: %s", part, strerror(errno));
	if (rc == 0 && !direct && rename(part, file) < 0)
		rc = serai_fail(&cli->s, -errno, "%s: %s", file, strerror(errno));
	if (rc < 0 && !direct)
		unlink(part);
	progress_end();
	/* A domain whose state is not safely in the file goes on living. */
	if (suspended && (rc < 0 || checkpoint || paused)) {
		struct serai keep = cli->s;

		if (paused)
			xc_domain_pause(cli->s.xc, dom);
		if (save_resume(&keep, dom) < 0 && rc == 0)
			rc = serai_fail(&cli->s, -EIO, "%s", keep.error);
	} else if (rc == 0) {
		rc = domain_destroy(&cli->s, dom);
	}
	guardian_end(&guard);
	free(part);
	return rc;
}

VERB(save)
{
	static const struct option opts[] = {{"checkpoint", 0, NULL, 'c'}, {"paused", 0, NULL, 'p'}, {0}};
	struct domain_config c;
	bool checkpoint = false, paused = false;
	domid_t dom;
	int o, rc, lock;

	while ((o = cli_option(cli, argc, argv, "cp", opts)) != -1) {
		if (o == -2)
			return 1;
		checkpoint |= o == 'c';
		paused |= o == 'p';
	}
	if (cli_operands(command_find("save"), argc, 2, 3))
		return 1;
	if ((rc = cli_domain(cli, argv[optind], &dom)) < 0 || (rc = record_load(&cli->s, dom, &c)) < 0)
		return rc;
	if (!cli->dry_run && (rc = transfer_lock(&cli->s, c.name, "saving", dom, &lock)) == 0) {
		rc = save_to(cli, dom, argv[optind + 1], &c, checkpoint, paused, lock);
		name_unlock(lock);
	}
	config_free(&c);
	return rc;
}

VERB(restore)
{
	static const struct option opts[] = {
		{"paused", 0, NULL, 'p'}, {"console", 0, NULL, 'c'}, {"foreground", 0, NULL, 'F'}, {0}};
	struct restore r = {.progress = progress_show};
	struct create_options co = {.paused = true, .build = restore_build, .arg = &r};
	struct domain_config c;
	bool paused = false, console = false, foreground = false, monitor = true, handed = false;
	const char *file;
	domid_t dom;
	int o, rc, lock = -1;

	while ((o = cli_option(cli, argc, argv, "pceFd", opts)) != -1) {
		if (o == -2)
			return 1;
		paused |= o == 'p';
		console |= o == 'c';
		foreground |= o == 'F';
		if (o == 'e')
			monitor = false;
	}
	if (cli_operands(command_find("restore"), argc, 1, 2))
		return 1;
	file = argv[argc - 1];
	r.s = &cli->s;
	r.fd = open(file, O_RDONLY | O_CLOEXEC);
	if (r.fd < 0)
		return serai_fail(&cli->s, -errno, "%s: %s", file, strerror(errno));
	rc = restore_header(&cli->s, r.fd, &c);
	if (rc < 0)
		goto out;
	if (!cli->json)
		fprintf(stderr, "Loading new save file %s (new xl fmt info 0x3/0x0/0)\n", file);
	if ((rc = name_lock(&cli->s, c.name, &lock)) == 0 && !cli->dry_run &&
	    (rc = domain_create(&cli->s, &c, &co, &dom)) == 0) {
		progress_end();
		if (monitor && !foreground) {
			rc = monitor_start(&cli->s, &c, dom, lock);
			handed = rc >= 0;
		}
		if (rc >= 0 && !paused)
			rc = xc_domain_unpause(cli->s.xc, dom);
		if (rc >= 0 && cli->json)
			rc = print_made(cli, dom, &c);
		if (rc >= 0 && console)
			rc = console_attach(&cli->s, dom, 0, CONSOLE_ESCAPE);
		else if (rc >= 0 && foreground)
			rc = monitor_run(&cli->s, &c, dom, lock);
	}
	/* The monitor keeps the name, whatever failed here later. */
	if (lock >= 0 && rc < 0 && !handed)
		name_unlock(lock);
	else if (lock >= 0)
		close(lock);
	config_free(&c);
out:
	close(r.fd);
	return rc < 0 ? rc : 0;
}

/* -------- stream check -------- */

struct checker {
	struct cli *cli;
	struct stream_reader r;
	struct json_object *list;
	uint64_t pages, batches, by_type[16], last_pfn;
};

static void line(struct checker *k, const char *layer, const char *name, uint32_t len, const char *more)
{
	if (k->list) {
		struct json_object *o = json_object_new_object();

		json_put(o, "layer", json_str(layer));
		json_put(o, "record", json_str(name));
		json_put(o, "length", json_u64(len));
		json_put(o, "detail", json_str(*more ? more : NULL));
		json_object_array_add(k->list, o);
		return;
	}
	printf("%-9s %-24s %8u%s%s\n", layer, name, len, *more ? "  " : "", more);
}

static void pages_flush(struct checker *k)
{
	char t[160];

	if (!k->batches)
		return;
	snprintf(t, sizeof(t), "%lu records: %lu pages, tables %lu/%lu/%lu/%lu, without data %lu",
		 (unsigned long)k->batches, (unsigned long)k->pages,
		 (unsigned long)(k->by_type[1] + k->by_type[9]),
		 (unsigned long)(k->by_type[2] + k->by_type[10]),
		 (unsigned long)(k->by_type[3] + k->by_type[11]),
		 (unsigned long)(k->by_type[4] + k->by_type[12]),
		 (unsigned long)(k->by_type[13] + k->by_type[14] + k->by_type[15]));
	line(k, "stream", "PAGE_DATA", 0, t);
	k->pages = k->batches = 0;
	memset(k->by_type, 0, sizeof(k->by_type));
}

static int check_config(void *arg, const char *json, size_t len)
{
	struct checker *k = arg;
	struct domain_config c;
	char error[200], t[300];
	int rc = config_from_json(&c, json, len, error, sizeof(error));

	if (rc < 0)
		return stream_fail(&k->r, rc, "%s", error);
	snprintf(t, sizeof(t), "name \"%.200s\", %lu KiB, %u vCPUs", c.name ? c.name : "",
		 (unsigned long)c.maxmem_kib, c.maxvcpus);
	line(k, "file", "configuration", len, t);
	config_free(&c);
	return 0;
}

static int check_container(void *arg, uint32_t type, const void *body, uint32_t len)
{
	(void)body;
	line(arg, "container", container_record_name(type), len, "");
	return 0;
}

static int check_record(void *arg, uint32_t type, const void *body, uint32_t len)
{
	struct checker *k = arg;
	char t[160] = "";
	uint32_t w[4] = {0};

	memcpy(w, body, len < 16 ? len : 16);
	if (type == REC_PAGE_DATA) {
		const uint64_t *words = (const uint64_t *)body + 1;

		/* A live stream has no mark between its rounds; each begins at the low frames again. */
		if (k->batches && (words[0] & PAGE_PFN_MASK) <= k->last_pfn)
			pages_flush(k);
		k->last_pfn = words[w[0] - 1] & PAGE_PFN_MASK;
		for (uint32_t i = 0; i < w[0]; i++)
			k->by_type[words[i] >> PAGE_TYPE_SHIFT]++;
		k->batches++;
		k->pages += w[0];
		return 0;
	}
	pages_flush(k);
	switch (type) {
	case REC_PV_INFO:
		snprintf(t, sizeof(t), "64-bit guest of Xen %u.%u, stream version %u", k->r.xen_major,
			 k->r.xen_minor, k->r.version);
		break;
	case REC_PV_P2M_FRAMES:
		snprintf(t, sizeof(t), "pfns %#x to %#x", w[0], w[1]);
		break;
	case REC_PV_VCPU_BASIC:
	case REC_PV_VCPU_EXTENDED:
	case REC_PV_VCPU_XSAVE:
	case REC_PV_VCPU_MSRS:
		snprintf(t, sizeof(t), "vCPU %u", w[0]);
		break;
	case REC_TSC_INFO:
		snprintf(t, sizeof(t), "mode %u, %u kHz", w[0], w[1]);
		break;
	case REC_CPUID_POLICY:
		snprintf(t, sizeof(t), "%u leaves", len / 24);
		break;
	case REC_MSR_POLICY:
		snprintf(t, sizeof(t), "%u MSRs", len / 16);
		break;
	}
	line(k, "stream", stream_record_name(type), len, t);
	return 0;
}

VERB(stream)
{
	struct checker k = {.cli = cli};
	const struct stream_visitor v = {
		.record = check_record, .arg = &k, .config = check_config, .container = check_container};
	int fd, rc;

	if (cli_option(cli, argc, argv, "", NULL) == -2 || cli_operands(command_find("stream"), argc, 2, 2))
		return 1;
	if (strcmp(argv[optind], "check"))
		return cli_usage("stream");
	fd = strcmp(argv[optind + 1], "-") ? open(argv[optind + 1], O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	if (fd < 0)
		return serai_fail(&cli->s, -errno, "%s: %s", argv[optind + 1], strerror(errno));
	k.r.read = stream_read_fd;
	k.r.arg = (void *)(intptr_t)fd;
	k.list = cli->json ? json_object_new_array() : NULL;
	rc = savefile_read(&k.r, &v);
	if (k.list)
		print_json(k.list);
	close(fd);
	if (rc < 0)
		return serai_fail(&cli->s, rc, "%s: %s", argv[optind + 1],
				  k.r.error[0] ? k.r.error : strerror(-rc));
	if (!cli->json)
		printf("%s: good, %llu bytes\n", argv[optind + 1], (unsigned long long)k.r.offset);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * serai migrate-receive: the receiving end of a move; the protocol is drawn in migrate.c.
 *
 * The domain starts only after "running" has been written into the move's file, and it is destroyed
 * only after "aborted" has; a guardian finishes either if this process is killed.
 */
#include "cli.h"
#include "../lib/nbd.h"
#include "../lib/guardian.h"
#include "../mirror/storage.h"
#include "../stream/handover.h"
#include "../stream/peer.h"
#include "../stream/reader.h"
#include "../stream/stream.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define THANKS_MS 30000
#define MAX_LEAVES 4096u

enum { PHASE_BUILDING = 1 };

struct arrival {
	const char *token;
	struct domain_config *c;
	bool paused, monitor, compressed;
	const char *along; /* disks that come along, as storage_prepare() takes them; NULL: none */
	struct storage storage;
	int lock;
	struct guardian guardian;
	struct restore restore;
};

/* The domain is ours: let it run, whoever keeps it. */
static int start(struct serai *s, struct arrival *a, domid_t dom)
{
	int rc = a->paused ? 0 : xc_domain_unpause(s->xc, dom);

	if (rc >= 0 && a->monitor)
		rc = monitor_start(s, a->c, dom, a->lock);
	return rc;
}

/* In the guardian: the receiver was killed. */
static void bereaved(struct serai *s, void *arg, const struct guardian_note *last)
{
	struct arrival *a = arg;
	enum decision d = MOVE_WAITING;
	int rc = move_decide(s, a->token, MOVE_ABORTED, &d);

	if (rc == 0 && d == MOVE_RUNNING) {
		/* The name's lock went with the receiver; a monitor that was started already has it. */
		a->monitor = a->monitor && name_lock(s, a->c->name, &a->lock) == 0;
		rc = start(s, a, last->dom);
	} else if (rc == 0) {
		rc = last->dom == DOMID_INVALID ? 0 : domain_destroy(s, last->dom);
		/* Its servers died with it; their numbers may be others'. */
		for (unsigned int i = 0; i < a->storage.n; i++)
			a->storage.disk[i].server = 0;
		storage_abandon(&a->storage);
	}
	fprintf(stderr, "%s: serai migrate-receive was killed; %s\n", a->c->name,
		rc < 0              ? s->error
		: d == MOVE_RUNNING ? "the domain runs"
				    : "what had arrived is gone");
}

static void created(void *arg, domid_t dom)
{
	guardian_note(arg, PHASE_BUILDING, dom);
}

static int read_exactly(int fd, void *p, size_t n)
{
	return stream_read_fd((void *)(intptr_t)fd, p, n);
}

/* The domain's CPU policy, ahead of its memory: features this host lacks are named now. */
static int policy_check(struct serai *s)
{
	struct xc_policy p = {0};
	uint32_t n[2];
	int rc = read_exactly(STDIN_FILENO, n, sizeof(n));

	if (rc < 0)
		return rc;
	if (n[0] > MAX_LEAVES || n[1] > MAX_LEAVES)
		return serai_fail(s, -EINVAL, "a CPU policy of %u leaves and %u MSRs", n[0], n[1]);
	p.nr_leaves = n[0];
	p.nr_msrs = n[1];
	p.leaves = calloc(n[0] + 1, sizeof(*p.leaves));
	p.msrs = calloc(n[1] + 1, sizeof(*p.msrs));
	if (!p.leaves || !p.msrs)
		rc = serai_fail(s, -ENOMEM, "out of memory");
	else if ((rc = read_exactly(STDIN_FILENO, p.leaves, n[0] * sizeof(*p.leaves))) == 0 &&
		 (rc = read_exactly(STDIN_FILENO, p.msrs, n[1] * sizeof(*p.msrs))) == 0)
		rc = restore_check_policy(s, &p);
	xc_policy_free(&p);
	return rc;
}

/* Everything that can be known to be missing before a byte of memory moves. */
static int preflight(struct serai *s, const struct domain_config *c, const char *along)
{
	char path[128];
	struct stat st;
	domid_t other;
	int rc;

	if (domain_find(s, c->name, &other) == 0)
		return serai_fail(s, -EEXIST, "a domain called \"%s\" exists here (number %u)", c->name,
				  other);
	if ((rc = memory_check(s, c->mem_kib + memory_overhead_kib(c))) < 0)
		return rc;
	for (unsigned int i = 0; i < c->nr_disks; i++) {
		const char *t = c->disks[i].target;

		/* What a server has is found out when it is asked for it. */
		if (t && *t && !path_is_url(t) && !path_is_nbd(t) &&
		    !(along && storage_item(along, c->disks[i].vdev)) && stat(t, &st) < 0)
			return serai_fail(
				s, -errno,
				"disk %s: %s is not here: %s (serai migrate --copy-storage brings it along)",
				c->disks[i].vdev, t, strerror(errno));
	}
	for (unsigned int i = 0; i < c->nr_nics; i++) {
		snprintf(path, sizeof(path), "/sys/class/net/%s/bridge",
			 c->nics[i].bridge ? c->nics[i].bridge : "");
		if (c->nics[i].bridge && stat(path, &st) < 0)
			return serai_fail(s, -ENODEV, "there is no bridge %s here", c->nics[i].bridge);
	}
	s->error[0] = 0;
	return 0;
}

/* "go" or the end, and what follows from it. */
static int hand_over(struct cli *cli, struct arrival *a, domid_t dom)
{
	enum decision d = MOVE_WAITING;
	char line[32] = "";
	int rc = line_put(STDOUT_FILENO, "built\n"), was;

	if (rc == 0)
		rc = line_get(STDIN_FILENO, line, sizeof(line), -1);
	if (rc == 0 && strcmp(line, "go"))
		rc = -EPROTO;
	was = rc;
	/* A decision that cannot be written down is none: the domain stays with the sender. */
	rc = move_decide(&cli->s, a->token, was == 0 ? MOVE_RUNNING : MOVE_ABORTED, &d);
	if (rc < 0 || d != MOVE_RUNNING) {
		struct serai keep = cli->s;

		domain_destroy(&keep, dom);
		return rc < 0 ? rc
			      : serai_fail(&cli->s, was < 0 ? was : -ECANCELED,
					   "%s: the sender gave it up; it stays there", a->c->name);
	}
	rc = start(&cli->s, a, dom);
	if (rc < 0)
		return rc;
	if (line_put(STDOUT_FILENO, "running\n") == 0 &&
	    line_get(STDIN_FILENO, line, sizeof(line), THANKS_MS) == 0 && !strcmp(line, "thanks"))
		move_forget(a->token);
	return 0;
}

/* create_options.build: its memory and, by the time that is here, its disks. */
static int build(struct serai *s, domid_t dom, struct domain_config *c, struct domain_ports *p, void *arg)
{
	struct arrival *a = arg;
	int rc = restore_build(s, dom, c, p, &a->restore);

	return rc < 0 ? rc : storage_settle(s, &a->storage);
}

/* From "accept" on. */
static int arrive(struct cli *cli, struct arrival *a)
{
	struct create_options co = {.paused = true,
				    .devices_last = a->along,
				    .build = build,
				    .arg = a,
				    .created = created,
				    .created_arg = &a->guardian};
	domid_t dom = DOMID_INVALID;
	int rc;

	a->restore = (struct restore){.s = &cli->s, .fd = STDIN_FILENO, .compressed = a->compressed};
	rc = line_put(STDOUT_FILENO, "accept\n");
	if (rc == 0)
		rc = domain_create(&cli->s, a->c, &co, &dom);
	return rc < 0 ? rc : hand_over(cli, a, dom);
}

static int receive(struct cli *cli, struct arrival *a)
{
	struct serai keep;
	enum decision d;
	int rc;

	if ((rc = policy_check(&cli->s)) < 0 || (rc = name_lock(&cli->s, a->c->name, &a->lock)) < 0 ||
	    (rc = preflight(&cli->s, a->c, a->along)) < 0 || (rc = move_begin(&cli->s, a->token)) < 0)
		return rc;
	name_lock_note(a->lock, "arriving", -1);
	if (a->along)
		rc = storage_prepare(&cli->s, &a->storage, a->c, a->token, a->along);
	/* It knows of the images, for it is made after them. */
	if (rc == 0)
		rc = guardian_start(&cli->s, &a->guardian, a->c->name, -1, bereaved, a);
	if (a->along && rc == 0)
		guardian_note(&a->guardian, PHASE_BUILDING, DOMID_INVALID);
	if (rc == 0)
		rc = arrive(cli, a);
	keep = cli->s;
	if (rc < 0 && move_decide(&keep, a->token, MOVE_ABORTED, &d) == 0 && d != MOVE_RUNNING)
		storage_abandon(&a->storage);
	guardian_end(&a->guardian);
	storage_free(&a->storage);
	return rc;
}

static int decide(struct cli *cli, const char *token)
{
	enum decision d;
	int rc;

	if (!move_token_valid(token))
		return serai_fail(&cli->s, -EINVAL, "\"%s\" is no move", token);
	rc = move_decide(&cli->s, token, MOVE_ABORTED, &d);
	return rc < 0 ? rc : line_put(STDOUT_FILENO, "%s\n", decision_name(d));
}

VERB(migrate_receive)
{
	enum { TOKEN = 2000, DECIDE, COMPRESS, ALONG, DISK };
	static const struct option opts[] = {{"token", 1, NULL, TOKEN},
					     {"decide", 1, NULL, DECIDE},
					     {"compress", 0, NULL, COMPRESS},
					     {"copy-storage", 1, NULL, ALONG},
					     {"disk", 1, NULL, DISK},
					     {"paused", 0, NULL, 'p'},
					     {0}};
	char made[MOVE_TOKEN_LEN + 1];
	struct domain_config c;
	struct arrival a = {.c = &c, .monitor = true, .lock = -1, .guardian.fd = -1};
	const char *disk = NULL;
	int o, rc;

	while ((o = cli_option(cli, argc, argv, "ep", opts)) != -1) {
		if (o == -2)
			return 1;
		a.paused |= o == 'p';
		a.compressed |= o == COMPRESS;
		if (o == 'e')
			a.monitor = false;
		else if (o == TOKEN)
			a.token = optarg;
		else if (o == DECIDE)
			return decide(cli, optarg);
		else if (o == ALONG)
			a.along = optarg;
		else if (o == DISK)
			disk = optarg;
	}
	if (!a.token) {
		move_token(made);
		a.token = made;
	}
	if (!move_token_valid(a.token))
		return serai_fail(&cli->s, -EINVAL, "\"%s\" is no move", a.token);
	if (disk)
		return storage_connect(&cli->s, a.token, strtoul(disk, NULL, 10));
	if (line_put(STDOUT_FILENO, MOVE_PROTOCOL "\n") < 0)
		return 1;
	rc = restore_header(&cli->s, STDIN_FILENO, &c);
	if (rc == 0) {
		rc = receive(cli, &a);
		config_free(&c);
	}
	if (rc < 0)
		line_put(STDOUT_FILENO, "refuse %s\n", cli->s.error[0] ? cli->s.error : strerror(-rc));
	return rc;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mirror.h"
#include "storage.h"
#include "../stream/drain.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* So little goes while the guest's memory is sent, or is stopped. */
#define LITTLE (16u << 20)
#define PASSES_MAX 16
#define TELLING (4u << 20)
#define READY_MS 60000
/* Between two lines: a stretch of one hundredth, over a slow link. */
#define LINE_MS 600000

static const char *helper(void)
{
	const char *program = getenv("SERAI_MIRROR");

	return program && *program ? program : SERAI_LIBEXECDIR "/serai-mirror";
}

/* The block device that the backend was given, whatever it is called; malloc()ed. */
static char *device_of(struct serai *s, domid_t dom, unsigned int devid)
{
	char *number = store_readf(s->store, 0, BACKENDS "/vbd/%u/%u/physical-device", dom, devid);
	char link[64], target[PATH_MAX], *dev = NULL, *name;
	unsigned int major, minor;
	ssize_t n = -1;

	if (number && sscanf(number, "%x:%x", &major, &minor) == 2) {
		snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", major, minor);
		n = readlink(link, target, sizeof(target) - 1);
	}
	free(number);
	if (n <= 0)
		return NULL;
	target[n] = 0;
	name = strrchr(target, '/');
	return asprintf(&dev, "/dev/%s", name ? name + 1 : target) < 0 ? NULL : dev;
}

static int size_of(const char *dev, uint64_t *size)
{
	int fd = open(dev, O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return -errno;
	rc = ioctl(fd, BLKGETSIZE64, size) < 0 ? -errno : 0;
	close(fd);
	return rc;
}

static int plan_add(struct serai *s, struct mirror *m, const struct disk *d)
{
	unsigned int devid;
	uint64_t size = 0;
	char *dev, *longer;
	int rc;

	if (vdev_number(d->vdev, &devid) || !(dev = device_of(s, m->dom, devid)))
		return serai_fail(s, -ENOENT,
				  "disk %s: no block device of this host has it: it cannot be copied",
				  d->vdev);
	m->device[m->n++] = dev;
	rc = size_of(dev, &size);
	if (rc < 0)
		return serai_fail(s, rc, "disk %s: %s: %s", d->vdev, dev, strerror(-rc));
	if (asprintf(&longer, "%s%s%s:%lu", m->list ? m->list : "", m->list ? "," : "", d->vdev,
		     (unsigned long)size) < 0)
		return serai_fail(s, -ENOMEM, "out of memory");
	free(m->list);
	m->list = longer;
	return 0;
}

int mirror_plan(struct serai *s, struct mirror *m, domid_t dom, const char *host,
		const struct domain_config *c, const char *only)
{
	unsigned int found = 0, wanted = 0;
	int rc = 0;

	for (const char *p = only; p; p = storage_next(p))
		wanted++;
	*m = (struct mirror){.p = {-1, -1, 0}, .dom = dom, .host = host};
	m->device = calloc(c->nr_disks + 1, sizeof(*m->device));
	if (!m->device)
		return serai_fail(s, -ENOMEM, "out of memory");
	for (unsigned int i = 0; i < c->nr_disks && rc == 0; i++) {
		const struct disk *d = &c->disks[i];

		if (only && !storage_item(only, d->vdev))
			continue;
		found++;
		if (storage_is_local(d))
			rc = plan_add(s, m, d);
		else if (only)
			rc = serai_fail(s, -EINVAL, "disk %s lies on a server: it needs no copy", d->vdev);
	}
	if (rc == 0 && found < wanted)
		rc = serai_fail(s, -EINVAL, "--copy-storage=%s: the domain has not all of these disks", only);
	return rc;
}

/* What the helper says, up to an answer that begins with `word`; its number, and what went over the line so far. */
static int answer(struct serai *s, struct mirror *m, const char *word, uint64_t *value, int ms)
{
	char line[700];
	unsigned long a, b = 0;
	size_t n = strlen(word);
	int rc = 0;

	while (!move_cancelled && (rc = line_get(m->p.from, line, sizeof(line), ms)) == 0) {
		if (!strncmp(line, word, n) && sscanf(line + n, " %lu %lu", &a, &b) >= 1) {
			*value = a;
			m->sent = b;
			return 0;
		}
		if (!strncmp(line, "failed ", 7))
			return serai_fail(s, -EIO, "%s", line + 7);
		if (sscanf(line, "at %lu %lu", &a, &b) == 2 && m->o->progress)
			m->o->progress("Disks", a, b);
	}
	if (rc == -ECANCELED || move_cancelled)
		return serai_fail(s, -ECANCELED, "cancelled");
	if (rc == -ETIMEDOUT)
		return serai_fail(s, rc, "%s: nothing of the disks has gone in %d s", m->host, ms / 1000);
	return serai_fail(s, rc, "%s ended where \"%s\" was due: %s", helper(), word, strerror(-rc));
}

static int start(struct serai *s, struct mirror *m, const char *command, const char *token)
{
	char *way = NULL, *run = NULL, *longer;
	uint64_t total = 0;
	int rc = -ENOMEM;

	/* The way goes by the environment: it is a shell's word, with quotes of its own. */
	if (asprintf(&way, "%s --token=%s", command, token) < 0)
		way = NULL;
	if (way && asprintf(&run, "exec '%s' -b %lu", helper(), (unsigned long)m->o->bandwidth) < 0)
		run = NULL;
	for (unsigned int i = 0; run && i < m->n; i++) {
		if (asprintf(&longer, "%s '%s'", run, m->device[i]) < 0)
			longer = NULL;
		free(run);
		run = longer;
	}
	if (run && setenv("SERAI_MIRROR_COMMAND", way, 1) == 0)
		rc = peer_start(s, run, &m->p);
	else
		serai_fail(s, rc, "out of memory");
	free(way);
	free(run);
	if (rc == 0)
		rc = answer(s, m, "ready", &total, READY_MS);
	m->left = total;
	return rc;
}

/* Once what was written since the last pass. */
static int pass(struct serai *s, struct mirror *m)
{
	double began = stream_now();
	uint64_t before = m->sent;
	int rc = line_put(m->p.to, "pass\n");

	if (rc < 0)
		return serai_fail(s, rc, "%s: %s", helper(), strerror(-rc));
	rc = answer(s, m, "left", &m->left, LINE_MS);
	/* Of the line: what was not sent, because it was zeros, says nothing of it. */
	if (rc == 0 && m->sent - before >= TELLING)
		m->rate = (m->sent - before) / (stream_now() - began + 1e-6);
	return rc;
}

/* save_options.round */
static int with_round(struct serai *s, void *arg, double *rest_ms)
{
	struct mirror *m = arg;
	int rc = pass(s, m);

	*rest_ms = m->rate > 0 ? m->left / m->rate * 1000 : 0;
	return rc;
}

/* save_options.stopped: nobody writes any more when its rings are empty. */
static int the_rest(struct serai *s, void *arg)
{
	struct mirror *m = arg;
	double began = stream_now();
	int left, rc = drain_disks(s, m->dom, save_left_ms(m->o, m->st));

	if (rc < 0)
		return rc;
	left = save_left_ms(m->o, m->st);
	rc = line_put(m->p.to, "finish %d\n", left < INT_MAX ? left : -1);
	if (rc < 0)
		return serai_fail(s, rc, "%s: %s", helper(), strerror(-rc));
	/* It knows the limit; and is not waited for when it does not keep it. */
	rc = answer(s, m, "done", &m->copied, left < LINE_MS ? left + 1000 : LINE_MS);
	if (rc == 0)
		serai_say(s, "disks complete after %.0f ms", (stream_now() - began) * 1000);
	return rc;
}

int mirror_begin(struct serai *s, struct mirror *m, const char *command, const char *token,
		 struct save_options *o, const struct save_stats *st)
{
	uint64_t before;
	int rc, n = 0;

	m->o = o;
	m->st = st;
	if ((rc = start(s, m, command, token)) < 0)
		return rc;
	o->round = with_round;
	o->stopped = the_rest;
	o->along_arg = m;
	do {
		before = m->left;
		rc = pass(s, m);
		if (rc == 0)
			serai_say(s, "disks: pass %d, %lu KiB written meanwhile", n + 1,
				  (unsigned long)(m->left >> 10));
	} while (rc == 0 && m->left > LITTLE && m->left < before - before / 8 && ++n < PASSES_MAX);
	return rc;
}

void mirror_stop(struct mirror *m)
{
	peer_stop(&m->p);
	for (unsigned int i = 0; i < m->n; i++)
		free(m->device[i]);
	free(m->device);
	free(m->list);
	*m = (struct mirror){.p = {-1, -1, 0}};
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where CPU policies come from: the hypervisor, a domain, a JSON file, the start of a saved domain. */
#include "policy.h"
#include "../stream/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* -------- a saved domain -------- */

static int stream_record(void *arg, uint32_t type, const void *body, uint32_t len)
{
	struct xc_policy *p = arg;
	void *copy;

	if (type != REC_CPUID_POLICY && type != REC_MSR_POLICY)
		return type == REC_STATIC_DATA_END || type == REC_PAGE_DATA ? -ECANCELED : 0;
	copy = malloc(len ? len : 1);
	if (!copy)
		return -ENOMEM;
	if (len)
		memcpy(copy, body, len);
	if (type == REC_CPUID_POLICY) {
		free(p->leaves);
		p->leaves = copy;
		p->nr_leaves = len / sizeof(*p->leaves);
	} else {
		free(p->msrs);
		p->msrs = copy;
		p->nr_msrs = len / sizeof(*p->msrs);
	}
	return 0;
}

/* The policy is in front of the memory, which is not read. */
static int from_stream(struct serai *s, const char *file, int fd, struct xc_policy *p)
{
	struct stream_reader r = {.read = stream_read_fd, .arg = (void *)(intptr_t)fd};
	struct stream_visitor v = {.record = stream_record, .arg = p};
	char why[256];
	int rc = savefile_read(&r, &v);

	if (rc < 0 && rc != -ECANCELED) {
		snprintf(why, sizeof(why), "%s", *r.error ? r.error : strerror(-rc));
	} else if (!p->nr_leaves) {
		snprintf(why, sizeof(why),
			 "this domain was saved without a CPU policy (by a version before Xen 4.14)");
		rc = -ENODATA;
	} else {
		rc = policy_settle(p, why, sizeof(why));
	}
	if (rc == 0)
		return 0;
	xc_policy_free(p);
	return serai_fail(s, rc, "%s: %s", file, why);
}

static int from_file(struct serai *s, const char *file, struct xc_policy *p)
{
	char magic[XL_MAGIC_LEN] = "", why[256];
	int fd = open(file, O_RDONLY | O_CLOEXEC), rc;
	size_t len;
	void *text;

	if (fd < 0)
		return serai_fail(s, -errno, "%s: %s", file, strerror(errno));
	if (pread(fd, magic, sizeof(magic), 0) == sizeof(magic) && !memcmp(magic, XL_MAGIC, sizeof(magic))) {
		rc = from_stream(s, file, fd, p);
		close(fd);
		return rc;
	}
	close(fd);
	rc = file_read(s, file, &text, &len);
	if (rc < 0)
		return rc;
	rc = policy_from_json(p, text, len, why, sizeof(why));
	free(text);
	return rc < 0 ? serai_fail(s, rc, "%s: %s", file, why) : 0;
}

/* -------- what the hypervisor says -------- */

static int from_host(struct serai *s, const char *which, struct xc_policy *p)
{
	static const struct {
		const char *name;
		unsigned int index;
	} kinds[] = {
		{"raw", XEN_SYSCTL_cpu_policy_raw},
		{"host", XEN_SYSCTL_cpu_policy_host},
		{"pv-max", XEN_SYSCTL_cpu_policy_pv_max},
		{"pv-default", XEN_SYSCTL_cpu_policy_pv_default},
		{"hvm-max", XEN_SYSCTL_cpu_policy_hvm_max},
		{"hvm-default", XEN_SYSCTL_cpu_policy_hvm_default},
	};
	size_t i = 0;
	int rc = 0;

	while (i < sizeof(kinds) / sizeof(kinds[0]) && strcmp(kinds[i].name, which))
		i++;
	if (i == sizeof(kinds) / sizeof(kinds[0]))
		return serai_fail(s, -EINVAL,
				  "this host has no CPU policy \"%s\": there are raw, host, pv-max, "
				  "pv-default, hvm-max and hvm-default",
				  which);
	if (!s->xc)
		rc = serai_open(s);
	if (rc < 0)
		return rc;
	rc = xc_policy_host(s->xc, kinds[i].index, p);
	return rc < 0 ? serai_fail_xc(s, rc, "no CPU policy %s of this host", which) : 0;
}

static int from_domain(struct serai *s, const char *what, struct xc_policy *p)
{
	domid_t dom;
	int rc = s->xc ? 0 : serai_open(s);

	if (rc < 0)
		return rc;
	rc = domain_find(s, what, &dom);
	if (rc < 0)
		return rc;
	rc = xc_policy_get(s->xc, dom, p);
	return rc < 0 ? serai_fail_xc(s, rc, "no CPU policy of domain %u", dom) : 0;
}

int policy_load(struct serai *s, const char *what, struct xc_policy *p)
{
	memset(p, 0, sizeof(*p));
	if (!strncmp(what, "host:", 5))
		return from_host(s, what + 5, p);
	/* A number is a domain whatever is called so. */
	if (*what && what[strspn(what, "0123456789")] && (strchr(what, '/') || access(what, F_OK) == 0))
		return from_file(s, what, p);
	return from_domain(s, what, p);
}

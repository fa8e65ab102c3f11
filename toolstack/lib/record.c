/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration of running domains, as files that xl reads too:
 * /var/lib/xen/userdata-d.DOMID.UUID.libxl-json.
 */
#include "serai.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void record_path(char *path, size_t len, domid_t dom, const uint8_t uuid[16])
{
	char u[37];

	uuid_format(uuid, u);
	snprintf(path, len, SERAI_DATA_DIR "/userdata-d.%u.%s.libxl-json", dom, u);
}

int record_save(struct serai *s, domid_t dom, const struct domain_config *c)
{
	char path[160], temp[168], *json = config_to_json(c);
	FILE *f;
	int rc = 0;

	if (!json)
		return serai_fail(s, -ENOMEM, "out of memory");
	record_path(path, sizeof(path), dom, c->uuid);
	snprintf(temp, sizeof(temp), "%s.new", path);
	mkdir(SERAI_DATA_DIR, 0755);
	f = fopen(temp, "we");
	if (f && fchmod(fileno(f), 0600) == 0 && fprintf(f, "%s\n", json) > 0)
		rc = fclose(f) ? -errno : 0;
	else
		rc = -errno;
	if (rc == 0 && rename(temp, path) < 0)
		rc = -errno;
	free(json);
	if (rc < 0)
		return serai_fail(s, rc, "domain %u: cannot keep its configuration in %s: %s", dom, path,
				  strerror(-rc));
	return 0;
}

int record_load(struct serai *s, domid_t dom, struct domain_config *c)
{
	struct xen_domctl_getdomaininfo info;
	char path[160], error[256];
	size_t len;
	void *text;
	int rc = xc_domain_info(s->xc, dom, &info);

	if (rc < 0)
		return serai_fail(s, rc, "there is no domain %u", dom);
	record_path(path, sizeof(path), dom, info.handle);
	rc = file_read(s, path, &text, &len);
	if (rc < 0)
		return serai_fail(s, rc,
				  "domain %u: its configuration is not on record (%s): another tool made it?",
				  dom, path);
	rc = config_from_json(c, text, len, error, sizeof(error));
	free(text);
	return rc < 0 ? serai_fail(s, rc, "%s: %s", path, error) : 0;
}

void record_remove(struct serai *s, domid_t dom, const uint8_t uuid[16])
{
	char path[160];

	(void)s;
	record_path(path, sizeof(path), dom, uuid);
	unlink(path);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* serai convert: one form of configuration to another, without a hypervisor. */
#include "cli.h"

#include <errno.h>
#include <string.h>

/* The model as an xl.cfg file. */
static void quote(const char *key, const char *v)
{
	if (!v)
		return;
	printf("%s = \"", key);
	for (; *v; v++)
		printf(*v == '"' || *v == '\\' ? "\\%c" : "%c", *v);
	printf("\"\n");
}

static void devices(const struct domain_config *c)
{
	static const char *const formats[] = {"raw", "qcow2", "qcow", "vhd", "raw"};

	if (c->nr_disks) {
		printf("disk = [\n");
		for (unsigned int i = 0; i < c->nr_disks; i++) {
			const struct disk *d = &c->disks[i];

			printf("  \"format=%s,vdev=%s,access=%s%s%s%s%s%s\",\n", formats[d->format], d->vdev,
			       d->readonly ? "ro" : "rw", d->cdrom ? ",devtype=cdrom" : "",
			       d->script ? ",script=" : "", d->script ? d->script : "",
			       d->target ? ",target=" : "", d->target ? d->target : "");
		}
		printf("]\n");
	}
	if (!c->nr_nics)
		return;
	printf("vif = [\n");
	for (unsigned int i = 0; i < c->nr_nics; i++) {
		const struct nic *n = &c->nics[i];
		char mac[18], sep = 0;

		printf("  \"");
		if (n->has_mac) {
			mac_format(n->mac, mac);
			printf("mac=%s", mac);
			sep = 1;
		}
		if (n->bridge)
			printf("%sbridge=%s", sep ? "," : "", n->bridge), sep = 1;
		if (n->ip)
			printf("%sip=%s", sep ? "," : "", n->ip), sep = 1;
		if (n->script)
			printf("%sscript=%s", sep ? "," : "", n->script), sep = 1;
		if (n->mtu)
			printf("%smtu=%d", sep ? "," : "", n->mtu);
		printf("\",\n");
	}
	printf("]\n");
}

static void lists(const char *key, char *const *v, unsigned int n)
{
	if (!n)
		return;
	printf("%s = [ ", key);
	for (unsigned int i = 0; i < n; i++)
		printf("\"%s\"%s", v[i], i + 1 < n ? ", " : " ]\n");
}

static void print_cfg(const struct domain_config *c)
{
	char uuid[37];

	quote("name", c->name);
	quote("type", c->type);
	if (c->has_uuid) {
		uuid_format(c->uuid, uuid);
		quote("uuid", uuid);
	}
	quote("kernel", c->kernel);
	quote("ramdisk", c->ramdisk);
	quote("cmdline", c->cmdline);
	quote("bootloader", c->bootloader);
	printf("memory = %lu\nmaxmem = %lu\nvcpus = %u\nmaxvcpus = %u\n", (unsigned long)c->mem_kib >> 10,
	       (unsigned long)c->maxmem_kib >> 10, c->vcpus, c->maxvcpus);
	lists("cpus", c->cpus, c->nr_cpus);
	lists("cpus_soft", c->cpus_soft, c->nr_cpus_soft);
	if (c->weight >= 0)
		printf("cpu_weight = %d\n", c->weight);
	if (c->cap >= 0)
		printf("cap = %d\n", c->cap);
	quote("on_poweroff", on_event_name(c->on_poweroff));
	quote("on_reboot", on_event_name(c->on_reboot));
	quote("on_crash", on_event_name(c->on_crash));
	quote("tsc_mode", c->tsc_mode);
	quote("pool", c->pool);
	devices(c);
}

VERB(convert)
{
	char error[512], *warnings = NULL, *out = NULL;
	struct domain_config c;
	const char *from, *file, *to;
	void *text;
	size_t len;
	int rc;

	if (cli_option(cli, argc, argv, "", NULL) == -2 || cli_operands(command_find("convert"), argc, 3, 3))
		return 1;
	from = argv[optind];
	file = argv[optind + 1];
	to = argv[optind + 2];
	if (strcmp(to, "cfg") && strcmp(to, "json") && strcmp(to, "xml"))
		return cli_usage("convert");
	rc = file_read(&cli->s, file, &text, &len);
	if (rc < 0)
		return rc;
	if (!strcmp(from, "cfg"))
		rc = config_from_cfg(&c, file, text, len, NULL, error, sizeof(error), &warnings);
	else if (!strcmp(from, "json"))
		rc = config_from_json(&c, text, len, error, sizeof(error));
	else if (!strcmp(from, "xml"))
		rc = config_from_xml(&c, text, len, error, sizeof(error));
	else
		rc = -ENOTSUP;
	free(text);
	if (rc == -ENOTSUP)
		return cli_usage("convert");
	if (warnings)
		fputs(warnings, stderr);
	free(warnings);
	if (rc < 0)
		return serai_fail(&cli->s, rc, "%s", error);
	if (!strcmp(to, "cfg"))
		print_cfg(&c);
	else
		out = !strcmp(to, "json") ? config_to_json(&c) : config_to_xml(&c);
	if (out)
		puts(out);
	free(out);
	config_free(&c);
	return 0;
}

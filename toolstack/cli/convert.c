/* SPDX-License-Identifier: GPL-2.0-or-later */
/* serai convert: one form of configuration to another, without a hypervisor. */
#include "cli.h"

#include <errno.h>
#include <string.h>

/* The model as an xl.cfg file. */
static void print_string(const char *v)
{
	putchar('"');
	for (; *v; v++)
		printf(*v == '"' || *v == '\\' ? "\\%c" : "%c", *v);
	putchar('"');
}

static void quote(const char *key, const char *v)
{
	if (!v)
		return;
	printf("%s = ", key);
	print_string(v);
	putchar('\n');
}

static void print_disk(const struct disk *d)
{
	static const char *const formats[] = {"raw", "qcow2", "qcow", "vhd", "raw"};
	static const char *const backends[] = {"", ",backendtype=phy", ",backendtype=qdisk"};

	printf("  \"format=%s,vdev=%s,access=%s%s%s%s%s%s%s%s\",\n", formats[d->format], d->vdev,
	       d->readonly ? "ro" : "rw", d->cdrom ? ",devtype=cdrom" : "", backends[d->backend],
	       d->discard ? ",discard" : "", d->script ? ",script=" : "", d->script ? d->script : "",
	       d->target ? ",target=" : "", d->target ? d->target : "");
}

static void print_nic(const struct nic *n)
{
	const struct {
		const char *key, *value;
	} words[] = {{"bridge", n->bridge},
		     {"ip", n->ip},
		     {"script", n->script},
		     {"vifname", n->ifname},
		     {"gatewaydev", n->gateway}};
	const char *sep = "";
	char mac[18];

	printf("  \"");
	if (n->has_mac) {
		mac_format(n->mac, mac);
		printf("mac=%s", mac);
		sep = ",";
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].value)
			printf("%s%s=%s", sep, words[i].key, words[i].value), sep = ",";
	if (n->mtu)
		printf("%smtu=%d", sep, n->mtu), sep = ",";
	if (n->rate_bytes) /* rounded up, because reading it rounds down */
		printf("%srate=%luB/s@%luus", sep,
		       (unsigned long)((n->rate_bytes * 1000000 + n->rate_us - 1) / n->rate_us),
		       (unsigned long)n->rate_us);
	printf("\",\n");
}

static void devices(const struct domain_config *c)
{
	if (c->nr_disks) {
		printf("disk = [\n");
		for (unsigned int i = 0; i < c->nr_disks; i++)
			print_disk(&c->disks[i]);
		printf("]\n");
	}
	if (!c->nr_nics)
		return;
	printf("vif = [\n");
	for (unsigned int i = 0; i < c->nr_nics; i++)
		print_nic(&c->nics[i]);
	printf("]\n");
}

static void print_cpuid(const struct domain_config *c)
{
	if (!c->nr_cpuid)
		return;
	printf("cpuid = [\n");
	for (unsigned int i = 0; i < c->nr_cpuid; i++) {
		const struct cpuid_rule *r = &c->cpuid[i];
		char sep = ':';

		printf("  \"%#x", r->leaf);
		if (r->subleaf != CPUID_NO_SUBLEAF)
			printf(",%u", r->subleaf);
		for (unsigned int k = 0; k < 4; k++)
			if (r->bits[k][0])
				printf("%c%s=%s", sep, cpuid_registers[k], r->bits[k]), sep = ',';
		printf("\",\n");
	}
	printf("]\n");
}

static void print_limit(const char *key, int v)
{
	if (v >= 0)
		printf("%s = %d\n", key, v);
}

/* An action that is not the one every domain has. */
static void print_action(const char *key, enum on_event e, enum on_event standard)
{
	if (e != standard)
		quote(key, on_event_name(e));
}

static void lists(const char *key, char *const *v, unsigned int n)
{
	if (!n)
		return;
	printf("%s = [ ", key);
	for (unsigned int i = 0; i < n; i++) {
		print_string(v[i]);
		printf(i + 1 < n ? ", " : " ]\n");
	}
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
	lists("bootloader_args", c->bootloader_args, c->nr_bootloader_args);
	printf("memory = %lu\nmaxmem = %lu\nvcpus = %u\nmaxvcpus = %u\n", (unsigned long)c->mem_kib >> 10,
	       (unsigned long)c->maxmem_kib >> 10, c->vcpus, c->maxvcpus);
	lists("cpus", c->cpus, c->nr_cpus);
	lists("cpus_soft", c->cpus_soft, c->nr_cpus_soft);
	print_limit("cpu_weight", c->weight);
	print_limit("cap", c->cap);
	quote("on_poweroff", on_event_name(c->on_poweroff));
	quote("on_reboot", on_event_name(c->on_reboot));
	quote("on_crash", on_event_name(c->on_crash));
	print_action("on_watchdog", c->on_watchdog, ON_DESTROY);
	print_action("on_soft_reset", c->on_soft_reset, ON_SOFT_RESET);
	quote("tsc_mode", c->tsc_mode);
	quote("pool", c->pool);
	if (!c->claim)
		printf("claim_mode = 0\n");
	if (c->msr_relaxed)
		printf("msr_relaxed = 1\n");
	print_limit("max_grant_frames", c->max_grant_frames);
	print_limit("max_maptrack_frames", c->max_maptrack_frames);
	print_limit("max_event_channels", c->max_event_channels);
	print_cpuid(c);
	devices(c);
}

static char *to_xml(const struct domain_config *c)
{
	char *losses = config_xml_losses(c);

	if (losses)
		fprintf(stderr, "serai convert: libvirt's XML has no place for:%s\n", losses);
	free(losses);
	return config_to_xml(c);
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
	if ((strcmp(to, "cfg") && strcmp(to, "json") && strcmp(to, "xml")) ||
	    (cli->json && strcmp(to, "json")))
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
		out = !strcmp(to, "json") ? config_to_json(&c) : to_xml(&c);
	if (out)
		puts(out);
	else if (strcmp(to, "cfg"))
		rc = serai_fail(&cli->s, -ENOMEM, "%s: cannot be written as %s: is libxml2 installed?", file,
				to);
	free(out);
	config_free(&c);
	return rc;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* serai block-attach, -detach, -list; network-attach, -detach, -list. */
#include "cli.h"

#include <errno.h>
#include <string.h>

/* Keep the record in step with what was attached by hand, so that a restart has it too. */
static int record_edit(struct cli *cli, domid_t dom, const char *disk, const struct nic *nic, bool add)
{
	struct domain_config c;
	char error[256];
	int rc = 0;

	if (record_load(&cli->s, dom, &c) < 0) {
		cli->s.error[0] = 0;
		return 0; /* made by another tool: nothing to keep in step */
	}
	if (add && disk) {
		struct disk *d = config_add_disk(&c);

		rc = d ? disk_parse(d, disk, error, sizeof(error)) : -ENOMEM;
	} else if (add && nic) {
		struct nic *n = config_add_nic(&c);

		if (n) {
			*n = *nic;
			n->bridge = nic->bridge ? strdup(nic->bridge) : NULL;
			n->ip = nic->ip ? strdup(nic->ip) : NULL;
			n->script = nic->script ? strdup(nic->script) : NULL;
			n->ifname = nic->ifname ? strdup(nic->ifname) : NULL;
			n->gateway = nic->gateway ? strdup(nic->gateway) : NULL;
		}
	} else if (disk) {
		for (unsigned int i = 0; i < c.nr_disks; i++) {
			unsigned int a, b;

			if (vdev_number(c.disks[i].vdev, &a) || vdev_number(disk, &b) || a != b)
				continue;
			disk_free(&c.disks[i]);
			memmove(&c.disks[i], &c.disks[i + 1], (--c.nr_disks - i) * sizeof(*c.disks));
			break;
		}
	} else if (nic) {
		for (unsigned int i = 0; i < c.nr_nics; i++) {
			if (c.nics[i].devid != nic->devid)
				continue;
			nic_free(&c.nics[i]);
			memmove(&c.nics[i], &c.nics[i + 1], (--c.nr_nics - i) * sizeof(*c.nics));
			break;
		}
	}
	if (rc == 0)
		rc = record_save(&cli->s, dom, &c);
	config_free(&c);
	return rc;
}

/* Operands glued by commas: `xvdb w` and `xvdb,w` mean the same. */
static void glue(char *to, size_t len, int argc, char **argv, int from)
{
	size_t n = 0;

	to[0] = 0;
	for (int i = from; i < argc && n < len; i++)
		n += snprintf(to + n, len - n, "%s%s", n ? "," : "", argv[i]);
}

VERB(block_attach)
{
	char spec[1024], error[256];
	struct disk d;
	domid_t dom;
	int rc;

	if (cli_option(cli, argc, argv, "", NULL) == -2 ||
	    cli_operands(command_find("block-attach"), argc, 2, -1))
		return 1;
	if ((rc = cli_domain(cli, argv[optind], &dom)) < 0)
		return rc;
	glue(spec, sizeof(spec), argc, argv, optind + 1);
	rc = disk_parse(&d, spec, error, sizeof(error));
	if (rc < 0)
		serai_fail(&cli->s, rc, "%s", error);
	else if (!cli->dry_run && (rc = disk_attach(&cli->s, dom, &d)) == 0)
		rc = record_edit(cli, dom, spec, NULL, true);
	disk_free(&d);
	return rc;
}

VERB(block_detach)
{
	static const struct option opts[] = {{"force", 0, NULL, 'f'}, {0}};
	bool force = cli->force;
	unsigned int devid;
	domid_t dom;
	int o, rc;

	while ((o = cli_option(cli, argc, argv, "f", opts)) != -1) {
		if (o == -2)
			return 1;
		force |= o == 'f';
	}
	if (cli_operands(command_find("block-detach"), argc, 2, 2))
		return 1;
	if ((rc = cli_domain(cli, argv[optind], &dom)) < 0)
		return rc;
	if (vdev_number(argv[optind + 1], &devid))
		return serai_fail(&cli->s, -EINVAL, "\"%s\" is not a virtual device name", argv[optind + 1]);
	rc = cli->dry_run ? 0 : device_detach(&cli->s, dom, "vbd", devid, force);
	return rc < 0 ? rc : record_edit(cli, dom, argv[optind + 1], NULL, false);
}

static long node(struct cli *cli, const char *dir, const char *key)
{
	char path[192];
	long v;

	snprintf(path, sizeof(path), "%s/%s", dir, key);
	return store_read_int(cli->s.store, path, &v) == 0 ? v : -1;
}

/* The same for JSON, where what is not there is null. */
static struct json_object *node_json(struct cli *cli, const char *dir, const char *leaf)
{
	long v = node(cli, dir, leaf);

	return v < 0 ? NULL : json_u64(v);
}

/*
 * A port or a grant of the first queue. A frontend with one queue keeps them at its top, one with more in queue-N; a ring
 * of several pages has numbers behind its name, and a pair of ports the direction.
 */
static struct json_object *queue_json(struct cli *cli, const char *fe, const char *key)
{
	static const char *const places[] = {"", "queue-0/"}, *const ends[] = {"", "0", "-tx"};
	long v = -1;

	for (unsigned int i = 0; i < 6 && v < 0; i++) {
		char leaf[64];

		snprintf(leaf, sizeof(leaf), "%s%s%s", places[i / 3], key, ends[i % 3]);
		v = node(cli, fe, leaf);
	}
	return v < 0 ? NULL : json_u64(v);
}

static struct json_object *queues_json(struct cli *cli, const char *fe)
{
	long n = node(cli, fe, "multi-queue-num-queues");

	return json_u64(n > 0 ? n : 1);
}

/* What the lists have in common: every device of one kind of one domain. */
static int each_device(struct cli *cli, const char *arg, const char *kind, struct json_object *list,
		       void (*show)(struct cli *, domid_t, const char *, const char *, unsigned int,
				    struct json_object *))
{
	char dir[64], fe[128], be[128], **ids;
	unsigned int n = 0;
	domid_t dom;
	int rc = cli_domain(cli, arg, &dom);

	if (rc < 0)
		return rc;
	snprintf(dir, sizeof(dir), "/libxl/%u/device/%s", dom, kind);
	ids = store_directory(cli->s.store, 0, dir, &n);
	for (unsigned int i = 0; i < n; i++) {
		struct json_object *o = list ? json_object_new_object() : NULL;

		snprintf(fe, sizeof(fe), "/local/domain/%u/device/%s/%.20s", dom, kind, ids[i]);
		snprintf(be, sizeof(be), "/local/domain/0/backend/%s/%u/%.20s", kind, dom, ids[i]);
		show(cli, dom, fe, be, strtoul(ids[i], NULL, 10), o);
		if (list)
			json_object_array_add(list, o);
	}
	free(ids);
	return 0;
}

static void show_block(struct cli *cli, domid_t dom, const char *fe, const char *be, unsigned int id,
		       struct json_object *o)
{
	char name[32], *t;

	if (!o) {
		printf("%-5u %-3d %-6u %-5ld %-6ld %-8ld %-30s\n", id, 0, dom, node(cli, fe, "state"),
		       node(cli, fe, "event-channel"), node(cli, fe, "ring-ref"), be);
		return;
	}
	vdev_name(id, name, sizeof(name));
	json_put(o, "domid", json_u64(dom));
	json_put(o, "devid", json_u64(id));
	json_put(o, "vdev", json_str(name));
	json_put(o, "state", node_json(cli, fe, "state"));
	json_put(o, "queues", queues_json(cli, fe));
	json_put(o, "event_channel", queue_json(cli, fe, "event-channel"));
	json_put(o, "ring_ref", queue_json(cli, fe, "ring-ref"));
	json_put(o, "backend", json_str(be));
	t = store_readf(cli->s.store, 0, "%s/params", be);
	json_put(o, "target", json_str(t));
	free(t);
	t = store_readf(cli->s.store, 0, "%s/mode", be);
	json_put(o, "readonly", json_object_new_boolean(t && *t == 'r'));
	free(t);
}

static void show_nic(struct cli *cli, domid_t dom, const char *fe, const char *be, unsigned int id,
		     struct json_object *o)
{
	char *mac = store_readf(cli->s.store, 0, "%s/mac", be), *t;

	if (!o) {
		printf("%-3u %-2d %s %5u %5ld %6ld %5ld/%-11ld %-30s\n", id, 0, mac ? mac : "(none)", id,
		       node(cli, fe, "state"), node(cli, fe, "event-channel"), node(cli, fe, "tx-ring-ref"),
		       node(cli, fe, "rx-ring-ref"), be);
	} else {
		json_put(o, "domid", json_u64(dom));
		json_put(o, "devid", json_u64(id));
		json_put(o, "mac", json_str(mac));
		json_put(o, "state", node_json(cli, fe, "state"));
		json_put(o, "queues", queues_json(cli, fe));
		json_put(o, "event_channel", queue_json(cli, fe, "event-channel"));
		json_put(o, "tx_ring_ref", queue_json(cli, fe, "tx-ring-ref"));
		json_put(o, "rx_ring_ref", queue_json(cli, fe, "rx-ring-ref"));
		json_put(o, "backend", json_str(be));
		t = store_readf(cli->s.store, 0, "%s/bridge", be);
		json_put(o, "bridge", json_str(t));
		free(t);
	}
	free(mac);
}

VERB(block_list)
{
	struct json_object *list;
	int rc = 0;

	if (cli_option(cli, argc, argv, "", NULL) == -2 ||
	    cli_operands(command_find("block-list"), argc, 1, -1))
		return 1;
	list = cli->json ? json_object_new_array() : NULL;
	if (!list)
		printf("%-5s %-3s %-6s %-5s %-6s %-8s %-30s\n", "Vdev", "BE", "handle", "state", "evt-ch",
		       "ring-ref", "BE-path");
	for (int i = optind; i < argc && rc >= 0; i++)
		rc = each_device(cli, argv[i], "vbd", list, show_block);
	return rc >= 0 && list ? print_json(list) : rc;
}

VERB(network_list)
{
	struct json_object *list;
	int rc = 0;

	if (cli_option(cli, argc, argv, "", NULL) == -2 ||
	    cli_operands(command_find("network-list"), argc, 1, -1))
		return 1;
	list = cli->json ? json_object_new_array() : NULL;
	if (!list)
		printf("%-3s %-2s %-17s %-6s %-5s %-6s %5s/%-11s %-30s\n", "Idx", "BE", "Mac Addr.", "handle",
		       "state", "evt-ch", "tx-", "rx-ring-ref", "BE-path");
	for (int i = optind; i < argc && rc >= 0; i++)
		rc = each_device(cli, argv[i], "vif", list, show_nic);
	return rc >= 0 && list ? print_json(list) : rc;
}

static int next_devid(struct cli *cli, domid_t dom)
{
	char dir[64], **ids;
	unsigned int n = 0;
	int next = 0;

	snprintf(dir, sizeof(dir), "/libxl/%u/device/vif", dom);
	ids = store_directory(cli->s.store, 0, dir, &n);
	for (unsigned int i = 0; i < n; i++)
		if (atoi(ids[i]) >= next)
			next = atoi(ids[i]) + 1;
	free(ids);
	return next;
}

VERB(network_attach)
{
	char spec[1024], error[256];
	struct nic n = {0};
	domid_t dom;
	int rc;

	if (cli_option(cli, argc, argv, "", NULL) == -2 ||
	    cli_operands(command_find("network-attach"), argc, 1, -1))
		return 1;
	if ((rc = cli_domain(cli, argv[optind], &dom)) < 0)
		return rc;
	glue(spec, sizeof(spec), argc, argv, optind + 1);
	n.devid = next_devid(cli, dom);
	rc = nic_parse(&n, spec, error, sizeof(error));
	if (rc < 0)
		serai_fail(&cli->s, rc, "%s", error);
	else if (!cli->dry_run && (rc = nic_attach(&cli->s, dom, &n)) == 0)
		rc = record_edit(cli, dom, NULL, &n, true);
	nic_free(&n);
	return rc;
}

VERB(network_detach)
{
	static const struct option opts[] = {{"force", 0, NULL, 'f'}, {0}};
	struct nic n = {.devid = -1};
	bool force = cli->force;
	uint8_t mac[6];
	domid_t dom;
	int o, rc;

	while ((o = cli_option(cli, argc, argv, "f", opts)) != -1) {
		if (o == -2)
			return 1;
		force |= o == 'f';
	}
	if (cli_operands(command_find("network-detach"), argc, 2, 2))
		return 1;
	if ((rc = cli_domain(cli, argv[optind], &dom)) < 0)
		return rc;
	if (mac_parse(argv[optind + 1], mac) == 0) {
		for (int i = 0; i < next_devid(cli, dom); i++) {
			char *t = store_readf(cli->s.store, 0, "/libxl/%u/device/vif/%d/mac", dom, i);

			if (t && !strcasecmp(t, argv[optind + 1]))
				n.devid = i;
			free(t);
		}
	} else if (strspn(argv[optind + 1], "0123456789") == strlen(argv[optind + 1])) {
		n.devid = atoi(argv[optind + 1]);
	}
	if (n.devid < 0)
		return serai_fail(&cli->s, -ENOENT, "%s has no network interface \"%s\"", argv[optind],
				  argv[optind + 1]);
	rc = cli->dry_run ? 0 : device_detach(&cli->s, dom, "vif", n.devid, force);
	return rc < 0 ? rc : record_edit(cli, dom, NULL, &n, false);
}

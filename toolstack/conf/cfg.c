/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xl.cfg settings to the domain model: a table of keys, each with the function that understands it.
 * A key xl documents and we do not act on yet is accepted with a warning; one nobody knows, too, with
 * a different one, because a misspelt key is the commonest mistake.
 */
#include "model.h"
#include "settings.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reader {
	struct conf_file *file;
	struct domain_config *c;
	char *error;
	size_t error_len;
	char *warnings;
	char *root, *extra; /* combined into the command line at the end */
	bool has_maxvcpus, has_cmdline;
};

static void complain(struct reader *r, const struct conf_setting *s, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void complain(struct reader *r, const struct conf_setting *s, const char *fmt, ...)
{
	char what[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	snprintf(r->error, r->error_len, "%s:%d: %s: %s", s->file, s->line, s->name, what);
}

#define wrong(...) (complain(__VA_ARGS__), -EINVAL)

static void warn(struct reader *r, const struct conf_setting *s, const char *what)
{
	char *old = r->warnings;

	if (asprintf(&r->warnings, "%s%s:%d: %s: %s\n", old ? old : "", s->file, s->line, s->name, what) < 0)
		r->warnings = old;
	else
		free(old);
}

static int get_string(struct reader *r, struct conf_setting *s, char **to)
{
	if (s->value->kind == CONF_LIST)
		return wrong(r, s, "a string is wanted, not a list");
	free(*to);
	*to = strdup(s->value->text);
	return *to ? 0 : -ENOMEM;
}

static int get_number(struct reader *r, struct conf_setting *s, long min, long max, long *to)
{
	char *end;
	long v;

	*to = min; /* something possible whatever comes: callers store it before they look at what is returned */
	if (s->value->kind == CONF_LIST)
		return wrong(r, s, "a number is wanted, not a list");
	errno = 0;
	v = strtol(s->value->text, &end, 0);
	if (errno || *end || end == s->value->text)
		return wrong(r, s, "\"%s\" is not a number", s->value->text);
	if (v < min || v > max)
		return wrong(r, s, "%ld is out of range, %ld to %ld is possible", v, min, max);
	*to = v;
	return 0;
}

static int key_name(struct reader *r, struct conf_setting *s)
{
	return get_string(r, s, &r->c->name);
}

static int key_uuid(struct reader *r, struct conf_setting *s)
{
	char *t = NULL;
	int rc = get_string(r, s, &t);

	if (rc == 0 && uuid_parse(t, r->c->uuid))
		rc = wrong(r, s, "\"%s\" is not a UUID", t);
	r->c->has_uuid = rc == 0;
	free(t);
	return rc;
}

static int key_type(struct reader *r, struct conf_setting *s)
{
	int rc = get_string(r, s, &r->c->type);

	if (rc == 0 && strcmp(r->c->type, "pv") && strcmp(r->c->type, "pvh") && strcmp(r->c->type, "hvm"))
		return wrong(r, s, "\"%s\" is not a domain type (pv, pvh, hvm)", r->c->type);
	return rc;
}

static int key_builder(struct reader *r, struct conf_setting *s)
{
	char *t = NULL;
	int rc = get_string(r, s, &t);

	if (rc == 0 && !r->c->type)
		r->c->type = strdup(!strcmp(t, "hvm") ? "hvm" : "pv");
	free(t);
	return rc;
}

static int key_kernel(struct reader *r, struct conf_setting *s)
{
	return get_string(r, s, &r->c->kernel);
}

static int key_ramdisk(struct reader *r, struct conf_setting *s)
{
	return get_string(r, s, &r->c->ramdisk);
}

static int key_cmdline(struct reader *r, struct conf_setting *s)
{
	r->has_cmdline = true;
	return get_string(r, s, &r->c->cmdline);
}

static int key_root(struct reader *r, struct conf_setting *s)
{
	return get_string(r, s, &r->root);
}

static int key_extra(struct reader *r, struct conf_setting *s)
{
	return get_string(r, s, &r->extra);
}

static int key_bootloader(struct reader *r, struct conf_setting *s)
{
	return get_string(r, s, &r->c->bootloader);
}

/* A list; or one string of words, as older files have it. */
static int key_bootloader_args(struct reader *r, struct conf_setting *s)
{
	bool list = s->value->kind == CONF_LIST;
	char *text = list ? NULL : strdup(s->value->text), *rest = text, *word;
	unsigned int room = list ? s->value->count : strlen(s->value->text) / 2 + 1;
	struct domain_config *c = r->c;
	int rc = 0;

	if (!list && !text)
		return -ENOMEM;
	c->bootloader_args = calloc(room + 1, sizeof(*c->bootloader_args));
	if (!c->bootloader_args)
		rc = -ENOMEM;
	for (unsigned int i = 0; list && rc == 0 && i < s->value->count; i++) {
		if (s->value->items[i]->kind == CONF_LIST)
			rc = wrong(r, s, "a list of strings is wanted");
		else if (!(c->bootloader_args[c->nr_bootloader_args] = strdup(s->value->items[i]->text)))
			rc = -ENOMEM;
		c->nr_bootloader_args += rc == 0;
	}
	while (!list && rc == 0 && (word = strsep(&rest, " \t"))) {
		if (!*word)
			continue;
		if (!(c->bootloader_args[c->nr_bootloader_args] = strdup(word)))
			rc = -ENOMEM;
		c->nr_bootloader_args += rc == 0;
	}
	free(text);
	return rc;
}

static int key_memory(struct reader *r, struct conf_setting *s)
{
	long v;
	int rc = get_number(r, s, 1, 1l << 34, &v);

	r->c->mem_kib = (uint64_t)v << 10;
	return rc;
}

static int key_maxmem(struct reader *r, struct conf_setting *s)
{
	long v;
	int rc = get_number(r, s, 1, 1l << 34, &v);

	r->c->maxmem_kib = (uint64_t)v << 10;
	return rc;
}

static int key_vcpus(struct reader *r, struct conf_setting *s)
{
	long v;
	int rc = get_number(r, s, 1, 512, &v);

	r->c->vcpus = v;
	return rc;
}

static int key_maxvcpus(struct reader *r, struct conf_setting *s)
{
	long v;
	int rc = get_number(r, s, 1, 512, &v);

	r->c->maxvcpus = v;
	r->has_maxvcpus = true;
	return rc;
}

static int affinity(struct reader *r, struct conf_setting *s, char ***to, unsigned int *n)
{
	unsigned int count = s->value->kind == CONF_LIST ? s->value->count : 1;

	*to = calloc(count ? count : 1, sizeof(**to));
	if (!*to)
		return -ENOMEM;
	for (unsigned int i = 0; i < count; i++) {
		const struct conf_value *v = s->value->kind == CONF_LIST ? s->value->items[i] : s->value;
		uint8_t map[128];

		if (v->kind == CONF_LIST || cpus_parse(v->text, map, sizeof(map) * 8) < 0)
			return wrong(r, s, "\"%s\" is not a CPU list",
				     v->kind == CONF_LIST ? "[...]" : v->text);
		(*to)[(*n)++] = strdup(v->text);
	}
	return 0;
}

static int key_cpus(struct reader *r, struct conf_setting *s)
{
	return affinity(r, s, &r->c->cpus, &r->c->nr_cpus);
}

static int key_cpus_soft(struct reader *r, struct conf_setting *s)
{
	return affinity(r, s, &r->c->cpus_soft, &r->c->nr_cpus_soft);
}

static int key_weight(struct reader *r, struct conf_setting *s)
{
	long v;
	int rc = get_number(r, s, 1, 65535, &v);

	r->c->weight = v;
	return rc;
}

static int key_cap(struct reader *r, struct conf_setting *s)
{
	long v;
	int rc = get_number(r, s, 0, 65535, &v);

	r->c->cap = v;
	return rc;
}

static int on(struct reader *r, struct conf_setting *s, enum on_event *to)
{
	char *t = NULL;
	int rc = get_string(r, s, &t);

	if (rc == 0 && on_event_parse(t, to))
		rc = wrong(r, s,
			   "\"%s\" is not an action (destroy, restart, rename-restart, preserve, "
			   "coredump-destroy, coredump-restart)",
			   t);
	free(t);
	return rc;
}

static int key_on_poweroff(struct reader *r, struct conf_setting *s)
{
	return on(r, s, &r->c->on_poweroff);
}

static int key_on_reboot(struct reader *r, struct conf_setting *s)
{
	return on(r, s, &r->c->on_reboot);
}

static int key_on_crash(struct reader *r, struct conf_setting *s)
{
	return on(r, s, &r->c->on_crash);
}

static int key_on_watchdog(struct reader *r, struct conf_setting *s)
{
	return on(r, s, &r->c->on_watchdog);
}

static int key_on_soft_reset(struct reader *r, struct conf_setting *s)
{
	return on(r, s, &r->c->on_soft_reset);
}

static int key_tsc_mode(struct reader *r, struct conf_setting *s)
{
	static const char *const names[] = {"default", "always_emulate", "native", "native_paravirt"};
	int rc = get_string(r, s, &r->c->tsc_mode);
	char *t = r->c->tsc_mode;

	if (rc < 0)
		return rc;
	if (t[0] >= '0' && t[0] <= '3' && !t[1]) {
		r->c->tsc_mode = strdup(names[t[0] - '0']);
		free(t);
		return 0;
	}
	for (size_t i = 0; i < 4; i++)
		if (!strcmp(t, names[i]))
			return 0;
	return wrong(r, s, "\"%s\" is not a TSC mode", t);
}

static int key_pool(struct reader *r, struct conf_setting *s)
{
	return get_string(r, s, &r->c->pool);
}

static int key_claim(struct reader *r, struct conf_setting *s)
{
	long v;
	int rc = get_number(r, s, 0, 1, &v);

	r->c->claim = v;
	return rc;
}

static int key_msr_relaxed(struct reader *r, struct conf_setting *s)
{
	long v;
	int rc = get_number(r, s, 0, 1, &v);

	r->c->msr_relaxed = v;
	return rc;
}

static int key_cpuid(struct reader *r, struct conf_setting *s)
{
	bool list = s->value->kind == CONF_LIST;
	unsigned int n = list ? s->value->count : 1;
	char what[200];
	int rc = 0;

	for (unsigned int i = 0; i < n && rc == 0; i++) {
		const struct conf_value *v = list ? s->value->items[i] : s->value;

		if (v->kind != CONF_STRING)
			return wrong(r, s, "a string is wanted: \"host,avx=0\" or [ \"1:ecx=...\" ]");
		what[0] = 0;
		rc = config_add_cpuid(r->c, v->text, !list, what, sizeof(what));
	}
	return rc < 0 ? wrong(r, s, "%s", what[0] ? what : strerror(-rc)) : 0;
}

static int key_grant_frames(struct reader *r, struct conf_setting *s)
{
	long v;
	int rc = get_number(r, s, 0, 1 << 20, &v);

	r->c->max_grant_frames = v;
	return rc;
}

static int key_maptrack(struct reader *r, struct conf_setting *s)
{
	long v;
	int rc = get_number(r, s, 0, 1 << 20, &v);

	r->c->max_maptrack_frames = v;
	return rc;
}

static int key_event_channels(struct reader *r, struct conf_setting *s)
{
	long v;
	int rc = get_number(r, s, 0, 1 << 17, &v);

	r->c->max_event_channels = v;
	return rc;
}

static int key_disk(struct reader *r, struct conf_setting *s)
{
	if (s->value->kind != CONF_LIST)
		return wrong(r, s, "a list of disks is wanted: [ 'target,format,vdev,access' ]");
	for (unsigned int i = 0; i < s->value->count; i++) {
		struct disk *d = config_add_disk(r->c);
		char what[200] = "not a string";

		if (!d)
			return -ENOMEM;
		if (s->value->items[i]->kind != CONF_STRING ||
		    disk_parse(d, s->value->items[i]->text, what, sizeof(what)))
			return wrong(r, s, "%s", what);
		for (unsigned int k = 0; k + 1 < r->c->nr_disks; k++)
			if (!strcmp(r->c->disks[k].vdev, d->vdev))
				return wrong(r, s, "two disks are called %s", d->vdev);
	}
	return 0;
}

static int key_vif(struct reader *r, struct conf_setting *s)
{
	if (s->value->kind != CONF_LIST)
		return wrong(r, s, "a list of interfaces is wanted: [ 'bridge=xenbr0' ]");
	for (unsigned int i = 0; i < s->value->count; i++) {
		struct nic *n = config_add_nic(r->c);
		char what[200] = "not a string";

		if (!n)
			return -ENOMEM;
		if (s->value->items[i]->kind != CONF_STRING ||
		    nic_parse(n, s->value->items[i]->text, what, sizeof(what)))
			return wrong(r, s, "%s", what);
	}
	return 0;
}

static const struct {
	const char *name;
	int (*read)(struct reader *r, struct conf_setting *s);
} keys[] = {
	{"name", key_name},
	{"uuid", key_uuid},
	{"type", key_type},
	{"builder", key_builder},
	{"kernel", key_kernel},
	{"ramdisk", key_ramdisk},
	{"cmdline", key_cmdline},
	{"root", key_root},
	{"extra", key_extra},
	{"bootloader", key_bootloader},
	{"bootloader_args", key_bootloader_args},
	{"memory", key_memory},
	{"maxmem", key_maxmem},
	{"vcpus", key_vcpus},
	{"maxvcpus", key_maxvcpus},
	{"cpus", key_cpus},
	{"cpus_soft", key_cpus_soft},
	{"cpu_weight", key_weight},
	{"cap", key_cap},
	{"on_poweroff", key_on_poweroff},
	{"on_reboot", key_on_reboot},
	{"on_crash", key_on_crash},
	{"on_watchdog", key_on_watchdog},
	{"on_soft_reset", key_on_soft_reset},
	{"tsc_mode", key_tsc_mode},
	{"pool", key_pool},
	{"claim_mode", key_claim},
	{"msr_relaxed", key_msr_relaxed},
	{"cpuid", key_cpuid},
	{"max_grant_frames", key_grant_frames},
	{"max_maptrack_frames", key_maptrack},
	{"max_event_channels", key_event_channels},
	{"event_channels", key_event_channels},
	{"disk", key_disk},
	{"vif", key_vif},
};

/* Keys of xl.cfg(5) that have no effect here. */
static const char *const ignored[] = {
	"acpi",
	"acpi_firmware",
	"acpi_s3",
	"acpi_s4",
	"altp2m",
	"apic",
	"bios",
	"bios_path_override",
	"blkdev_start",
	"boot",
	"channel",
	"device_model_args",
	"device_model_override",
	"device_model_user",
	"device_model_version",
	"device_tree",
	"dm_restrict",
	"driver_domain",
	"dtdev",
	"e820_host",
	"exec_path",
	"firmware",
	"firmware_override",
	"gfx_passthru",
	"guest_xenstore",
	"hap",
	"hdtype",
	"hpet",
	"init_seclabel",
	"iomem",
	"ioports",
	"irqs",
	"keymap",
	"localtime",
	"mca_caps",
	"memory_static",
	"mmio_hole",
	"ms_vm_genid",
	"nested_hvm",
	"nestedhvm",
	"nographic",
	"numa_placement",
	"nomigrate",
	"nx",
	"opengl",
	"p9",
	"pae",
	"passthrough",
	"pci",
	"pci_msitranslate",
	"pci_permissive",
	"pci_power_mgmt",
	"pci_seize",
	"processor_trace_buf_kb",
	"pvcalls",
	"pvshim",
	"pvshim_cmdline",
	"pvshim_extra",
	"pvshim_path",
	"rdm",
	"rtc_timeoffset",
	"sdl",
	"seclabel",
	"serial",
	"shadow_memory",
	"smbios_firmware",
	"soundhw",
	"spice",
	"stdvga",
	"stubdomain_cmdline",
	"stubdomain_kernel",
	"stubdomain_memory",
	"stubdomain_ramdisk",
	"suppress_spurious_page_faults",
	"timer_mode",
	"tsc_khz",
	"usb",
	"usbctrl",
	"usbdev",
	"usbdevice",
	"vdispl",
	"vfb",
	"vga",
	"videoram",
	"viridian",
	"vkb",
	"vmtrace_buf_kb",
	"vnc",
	"vncdisplay",
	"vnclisten",
	"vncpasswd",
	"vncunused",
	"vnuma",
	"vpmu",
	"vpt_align",
	"vscsi",
	"vsnd",
	"vtpm",
	"vuart",
	"vcpus_pin",
	"xen_platform_pci",
	"xend_suspend_evtchn_compat",
	"arm_sci",
	"iommu",
	"gic_version",
	"period",
	"budget",
	"extratime",
	"latency",
	"on_xend_start",
	"on_xend_stop",
	"cpu_type",
	"hvmloader",
	"xauthority",
	"display",
};

static int setting_read(struct reader *r, struct conf_setting *s)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!strcmp(s->name, keys[i].name))
			return keys[i].read(r, s);
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++) {
		if (!strcmp(s->name, ignored[i]) ||
		    (!strncmp(s->name, "spice", 5) && !strcmp(ignored[i], "spice"))) {
			warn(r, s, "has no effect here");
			return 0;
		}
	}
	warn(r, s, "is not a key of this file; is it misspelt?");
	return 0;
}

/* root= and extra= are the older way to write cmdline=. */
static int cmdline_combine(struct reader *r)
{
	struct domain_config *c = r->c;

	if (r->has_cmdline || (!r->root && !r->extra))
		return 0;
	free(c->cmdline);
	c->cmdline = NULL;
	if (asprintf(&c->cmdline, "%s%s%s%s", r->root ? "root=" : "", r->root ? r->root : "",
		     r->root && r->extra ? " " : "", r->extra ? r->extra : "") < 0)
		return -ENOMEM;
	return 0;
}

#define NAME_RULE "the name must not contain '/' or blanks, nor be longer than 255 bytes"

int config_check_saved(struct domain_config *c, char *error, size_t len)
{
	const char *why = NULL;

	if (!c->type)
		c->type = strdup("pv");
	if (!c->maxmem_kib)
		c->maxmem_kib = c->mem_kib;
	if (c->bootloader && !*c->bootloader) {
		free(c->bootloader);
		c->bootloader = NULL;
	}
	if (!c->name || !c->name[0])
		why = "a domain needs a name (name = \"...\")";
	else if (strlen(c->name) > 255 || strpbrk(c->name, "/\t\n"))
		why = NAME_RULE;
	else if (c->vcpus > c->maxvcpus)
		why = "vcpus is larger than maxvcpus";
	else if (c->mem_kib > c->maxmem_kib)
		why = "memory is larger than maxmem";
	else if (!c->mem_kib)
		why = "a domain needs memory (memory = MiB)";
	for (unsigned int i = 0, n; i < c->nr_disks && !why; i++)
		if (!c->disks[i].vdev || vdev_number(c->disks[i].vdev, &n))
			why = "a disk's vdev is none (xvda, sda, hda, ...)";
	if (!why)
		return 0;
	snprintf(error, len, "%s", why);
	return -EINVAL;
}

int config_check(struct domain_config *c, char *error, size_t len)
{
	int rc = config_check_saved(c, error, len);

	if (rc < 0)
		return rc;
	if (strchr(c->name, ' ')) {
		snprintf(error, len, "%s", NAME_RULE);
		return -EINVAL;
	}
	if (strspn(c->name, "0123456789") == strlen(c->name)) {
		snprintf(error, len, "a name of digits alone would be taken for a domain number");
		return -EINVAL;
	}
	return 0;
}

int config_from_cfg(struct domain_config *c, const char *name, const char *text, size_t len,
		    const char *extra, char *error, size_t error_len, char **warnings)
{
	struct conf_file f = {0};
	struct reader r = {.file = &f, .c = c, .error = error, .error_len = error_len};
	int rc = conf_parse_text(&f, name, text, len);

	config_init(c);
	if (rc == 0 && extra && *extra)
		rc = conf_parse_text(&f, "command line", extra, strlen(extra));
	if (rc < 0) {
		snprintf(error, error_len, "%s", f.error[0] ? f.error : strerror(-rc));
		goto out;
	}
	f.name = name;
	for (struct conf_setting *s = f.head; s && rc == 0; s = s->next)
		rc = setting_read(&r, s);
	if (rc == 0)
		rc = cmdline_combine(&r);
	if (!r.has_maxvcpus)
		c->maxvcpus = c->vcpus;
	if (rc == 0 && config_check(c, error, error_len)) {
		char what[256];

		snprintf(what, sizeof(what), "%s", error);
		snprintf(error, error_len, "%s: %s", name, what);
		rc = -EINVAL;
	}
out:
	free(r.root);
	free(r.extra);
	conf_file_free(&f);
	if (warnings)
		*warnings = r.warnings;
	else
		free(r.warnings);
	if (rc < 0)
		config_free(c);
	return rc;
}

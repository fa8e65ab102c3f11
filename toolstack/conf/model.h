/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a domain is meant to be: the one model that xl.cfg, xl's JSON and libvirt's XML are read into
 * and written from. Plain data; strings are owned by the model and may be NULL.
 */
#ifndef SERAI_CONF_MODEL_H
#define SERAI_CONF_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum on_event {
	ON_DESTROY,
	ON_RESTART,
	ON_RENAME_RESTART,
	ON_PRESERVE,
	ON_COREDUMP_DESTROY,
	ON_COREDUMP_RESTART,
	ON_SOFT_RESET,
	ON_EVENT_COUNT
};
enum disk_format { DISK_RAW, DISK_QCOW2, DISK_QCOW, DISK_VHD, DISK_EMPTY };
enum disk_backend { DISK_AUTO, DISK_PHY, DISK_QDISK };

struct disk {
	char *target; /* path or URL */
	char *vdev;   /* as written: xvda, sda1, hdc ... */
	char *script;
	enum disk_format format;
	enum disk_backend backend;
	bool readonly, cdrom, discard;
};

struct nic {
	int devid;
	uint8_t mac[6];
	bool has_mac;
	char *bridge, *ip, *script, *ifname, *gateway;
	int mtu;
	uint64_t rate_bytes, rate_us; /* 0: no limit */
};

#define CPUID_NO_SUBLEAF 0xffffffffu
/* A CPUID leaf as the domain shall see it: 32 letters a register, bit 31 first (cpuid.c); "" leaves it alone. */
struct cpuid_rule {
	uint32_t leaf, subleaf;
	char bits[4][33]; /* eax, ebx, ecx, edx */
};

struct domain_config {
	char *name;
	uint8_t uuid[16];
	bool has_uuid;
	char *type; /* "pv", "pvh", "hvm" */
	char *kernel, *ramdisk, *cmdline, *bootloader;
	uint64_t mem_kib, maxmem_kib;
	unsigned int vcpus, maxvcpus;
	char **cpus, **cpus_soft; /* one affinity expression a vCPU; the last one covers the rest */
	unsigned int nr_cpus, nr_cpus_soft;
	char **bootloader_args;
	unsigned int nr_bootloader_args;
	int weight, cap; /* -1: the scheduler's default */
	enum on_event on_poweroff, on_reboot, on_crash, on_watchdog, on_soft_reset;
	char *tsc_mode; /* default, always_emulate, native, native_paravirt */
	char *pool;
	struct cpuid_rule *cpuid;
	unsigned int nr_cpuid;
	bool claim;
	bool msr_relaxed; /* registers of the machine that are not the guest's read as 0 */
	int max_grant_frames, max_maptrack_frames, max_event_channels; /* -1: default */
	struct disk *disks;
	unsigned int nr_disks;
	struct nic *nics;
	unsigned int nr_nics;
};

void config_init(struct domain_config *c);
void config_free(struct domain_config *c);
int config_copy(struct domain_config *to, const struct domain_config *from);

/* Warnings are newline-separated sentences; *warnings may stay NULL. The caller frees it. */
int config_from_cfg(struct domain_config *c, const char *name, const char *text, size_t len,
		    const char *extra, char *error, size_t error_len, char **warnings);
/* Check what no single setting can: names, sizes, types. */
int config_check(struct domain_config *c, char *error, size_t error_len);
/* The same of a domain that is there already: its name may be one that config_check() would not give (blanks, digits alone). */
int config_check_saved(struct domain_config *c, char *error, size_t error_len);

/* xl's JSON ("libxl-json"). malloc()ed text. */
char *config_to_json(const struct domain_config *c);
struct json_object;
struct json_object *config_to_json_object(const struct domain_config *c);
int config_from_json(struct domain_config *c, const char *text, size_t len, char *error, size_t error_len);

/* libvirt domain XML. */
char *config_to_xml(const struct domain_config *c);
/* The keys it has no place for, with a blank before each; NULL when nothing is lost. malloc()ed. */
char *config_xml_losses(const struct domain_config *c);
int config_from_xml(struct domain_config *c, const char *text, size_t len, char *error, size_t error_len);

int disk_parse(struct disk *d, const char *spec, char *error, size_t error_len);
int nic_parse(struct nic *n, const char *spec, char *error, size_t error_len);
void disk_free(struct disk *d);
void nic_free(struct nic *n);
struct disk *config_add_disk(struct domain_config *c);
struct nic *config_add_nic(struct domain_config *c);
/* One string of `cpuid =`: names, or the registers of a leaf. -EINVAL with a sentence. */
int config_add_cpuid(struct domain_config *c, const char *spec, bool names, char *error, size_t len);
/* The rule of a leaf, made when there is none yet. */
struct cpuid_rule *config_cpuid_rule(struct domain_config *c, uint32_t leaf, uint32_t subleaf);
bool cpuid_bits_valid(const char *bits);
extern const char *const cpuid_registers[4];
/* "xvda" -> device number as the block interface counts; -EINVAL. */
int vdev_number(const char *vdev, unsigned int *number);
/* The short name of a device number. */
void vdev_name(unsigned int number, char *name, size_t len);

const char *on_event_name(enum on_event e);
int on_event_parse(const char *s, enum on_event *e);
void uuid_format(const uint8_t uuid[16], char out[37]);
int uuid_parse(const char *s, uint8_t uuid[16]);
void uuid_random(uint8_t uuid[16]);
void mac_format(const uint8_t mac[6], char out[18]);
int mac_parse(const char *s, uint8_t mac[6]);
/*
 * "all", "0-3,^1", "node:0" -> bitmap of `bits` CPUs. -EINVAL when malformed or empty.
 */
int cpus_parse(const char *expr, uint8_t *map, unsigned int bits);
/* The inverse, as xl prints it: "all", "0-3,5", "" for none. `online` bits make "all". */
void cpus_format(const uint8_t *map, unsigned int bits, unsigned int online, char *out, size_t len);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libserai: what the commands are made of. One `struct serai` is one session: the control library, the
 * xenstore connection, and the cause of the last failure.
 *
 * Functions return 0 (or a count) or a negative errno and leave a sentence in s->error that names the
 * object, the cause and, where there is one, the remedy.
 */
#ifndef SERAI_LIB_H
#define SERAI_LIB_H

#include "serai/xc.h"
#include "store.h"
#include "../conf/model.h"

#include <stdio.h>
#include <stdlib.h>

#define SERAI_RUN_DIR "/run/serai"
/* Where the devices of all domains have their backends' nodes, by kind, domain and number. */
#define BACKENDS "/local/domain/0/backend"
#define SERAI_DATA_DIR "/var/lib/xen"
#define SERAI_CACHE_DIR "/var/cache/serai"
#define SERAI_LOG_DIR "/var/log/xen"

struct serai {
	struct xc *xc;
	struct store *store;
	char error[1024];
	int verbose;
};

int serai_open(struct serai *s);
/* Whether an error means that the store daemon hung up: it was started anew. Then another connection, without watches. */
bool serai_lost(int err);
int serai_again(struct serai *s);
void serai_close(struct serai *s);
int serai_fail(struct serai *s, int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* As serai_fail, with libxc's own sentence after it. */
int serai_fail_xc(struct serai *s, int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void serai_say(const struct serai *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* -------- names (name.c) -------- */
/* A number or a name; the domain must exist. */
int domain_find(struct serai *s, const char *what, domid_t *dom);
/* malloc()ed; "(null)" when xenstore does not know. */
char *domain_name(struct serai *s, domid_t dom);
int domain_rename(struct serai *s, domid_t dom, const char *name);
/* Makes way for a successor: another name, another UUID. */
int domain_preserve(struct serai *s, domid_t dom, const char *name);
/* All domains in ascending order: a malloc()ed array. */
int domain_list(struct serai *s, struct xen_domctl_getdomaininfo **list, unsigned int *n);

/* -------- life (create.c, destroy.c) -------- */
struct domain_ports {
	evtchn_port_t store, console;
	xen_pfn_t store_mfn, console_mfn;
};
struct create_options {
	bool paused;       /* leave it paused */
	bool devices_last; /* attach them when it has been built: its disks come along */
	/*
	 * Fill the created domain with memory and state, and p with the two ring frames. NULL: boot the
	 * configured kernel. Restore and migration supply their own.
	 */
	int (*build)(struct serai *s, domid_t dom, struct domain_config *c, struct domain_ports *p,
		     void *arg);
	void *arg;
	/* The domain exists, as yet empty: the moment from which there is something to undo. */
	void (*created)(void *arg, domid_t dom);
	void *created_arg;
};
int domain_create(struct serai *s, struct domain_config *c, const struct create_options *o, domid_t *dom);
int domain_destroy(struct serai *s, domid_t dom);
/* What create would do, and exactly how much memory that takes. */
struct create_plan {
	uint64_t guest_kib, overhead_kib, free_kib, kernel_kib, ramdisk_kib;
};
int domain_plan(struct serai *s, const struct domain_config *c, struct create_plan *p);
/* Ask the guest (control/shutdown): "poweroff", "reboot", "suspend", "halt". */
int domain_request(struct serai *s, domid_t dom, const char *what);
/* Wait until the domain shut down or vanished; 1 vanished, 0 shut down (reason in *reason). */
int domain_wait_shutdown(struct serai *s, domid_t dom, int timeout_ms, int *reason);

/* -------- xenstore skeleton (nodes.c) -------- */
int nodes_create(struct serai *s, const struct domain_config *c, domid_t dom, domid_t dom0);
int nodes_introduce(struct serai *s, const struct domain_config *c, domid_t dom,
		    const struct domain_ports *p);
int nodes_remove(struct serai *s, domid_t dom);
int store_fail(struct serai *s, int err, const char *what, domid_t dom);

/* -------- devices (device.c, block.c, net.c) -------- */
int disk_attach(struct serai *s, domid_t dom, const struct disk *d);
int nic_attach(struct serai *s, domid_t dom, struct nic *n);
int device_detach(struct serai *s, domid_t dom, const char *kind, unsigned int devid, bool force);
/* Tear down what a domain's backends hold (loop devices, bridge ports, nodes). */
int devices_destroy(struct serai *s, domid_t dom);
int device_wait(struct serai *s, const char *path, unsigned int state, int timeout_ms);
/* Write front, back and bookkeeping nodes of one device in one transaction. */
struct kv {
	const char *key;
	char value[512];
};
int device_add(struct serai *s, domid_t dom, const char *kind, unsigned int devid, const struct kv *front,
	       unsigned int nr_front, const struct kv *back, unsigned int nr_back);
int device_hotplugged(struct serai *s, domid_t dom, const char *kind, unsigned int devid);
int device_script(struct serai *s, domid_t dom, const char *kind, unsigned int devid, const char *script,
		  const char *verb, const char *ifname);
int loop_attach(const char *file, bool readonly, char *dev, size_t len);
int loop_detach(const char *dev);
int net_bridge_add(const char *ifname, const char *bridge, int mtu);
int net_up(const char *ifname);

/* -------- records (record.c) -------- */
/* The configuration a domain was made from, kept where xl keeps it. */
int record_save(struct serai *s, domid_t dom, const struct domain_config *c);
int record_load(struct serai *s, domid_t dom, struct domain_config *c);
void record_remove(struct serai *s, domid_t dom, const uint8_t uuid[16]);

/* -------- one domain, one keeper (lock.c) -------- */
/* Take the lock of a domain name; the file descriptor keeps it. -EBUSY: somebody runs it. */
int name_lock(struct serai *s, const char *name, int *fd);
/* Let go of a name for good: the file goes, too. */
void name_unlock(int fd);
int name_lock_note(int fd, const char *state, long domid);
/* State noted by the keeper of a name ("running", "rebooting"); NULL when nobody holds it. */
char *name_lock_state(const char *name);
int name_lock_move(struct serai *s, const char *from, const char *to);
/*
 * The right to suspend the domain of that name, for one save or move at a time; `state` ("saving", "moving") is
 * noted. name_unlock gives it back. -EBUSY: another has it, or its guardian still settles what became of it.
 */
int transfer_lock(struct serai *s, const char *name, const char *state, domid_t dom, int *fd);
/* What is noted of that: "saving", "moving", "settling"; NULL when nobody has the right. */
char *transfer_state(const char *name);
/* The process that moves the domain of that name; 0 when none does. */
pid_t transfer_mover(const char *name);

/* -------- the monitor (monitor.c) -------- */
/*
 * Fork the process that obeys on_poweroff, on_reboot, on_crash. The child takes over lock_fd. Returns the
 * child's pid in the parent.
 */
int monitor_start(struct serai *s, struct domain_config *c, domid_t dom, int lock_fd);
int monitor_run(struct serai *s, struct domain_config *c, domid_t dom, int lock_fd);

/* -------- host memory (memory.c) -------- */
/* Make sure `kib` are free for domains; balloons nothing by itself, says what is missing. */
int memory_check(struct serai *s, uint64_t kib);
uint64_t memory_overhead_kib(const struct domain_config *c);

/* -------- files (fetch.c, url.c) -------- */
/* A whole file in memory, or the bytes of a http(s) URL. */
int file_read(struct serai *s, const char *path, void **data, size_t *len);
/* n bytes, however many writes that takes; waits where the descriptor does not. 0, or what write() said. */
int write_all(int fd, const char *p, size_t n);
bool path_is_url(const char *path);
/* Make sure the cache has the file a URL names, and say where (url.c). */
int url_fetch(struct serai *s, const char *url, char *path, size_t len);

/* -------- console (console.c) -------- */
#define CONSOLE_ESCAPE 0x1d /* ^] */
int console_attach(struct serai *s, domid_t dom, unsigned int num, char escape);
/* By serai-consoled's socket alone, which takes no privileges but its group; a name or a number. */
int console_attach_socket(const char *domain, char escape, bool *attached);

#endif

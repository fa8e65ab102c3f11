/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Permissions of a node: a list of (domain, bits). The first entry names the owner, who may do
 * everything, and carries the bits of every domain that has no entry of its own.
 */
#ifndef XENSTORED_PERM_H
#define XENSTORED_PERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PERM_READ 1u
#define PERM_WRITE 2u
#define PERM_OWNER 4u

struct perm {
	uint16_t domid;
	uint8_t bits; /* PERM_READ | PERM_WRITE */
};

struct perms {
	struct perm *list; /* never empty */
	size_t n;
};

/* Who asks: a domain, perhaps acting for another (a device model for its guest). */
struct who {
	uint16_t domid;
	uint16_t target; /* equal to domid when there is none */
	bool all;        /* the control domain */
};

/* The bits a domain has; PERM_OWNER too for the owner and the control domain. */
unsigned int perms_of(const struct perms *p, const struct who *who);
struct perms perms_one(uint16_t owner, unsigned int others);
struct perms perms_copy(const struct perms *p);
void perms_free(struct perms *p);
bool perms_equal(const struct perms *a, const struct perms *b);
/* Forget a domain that is gone: true when an entry other than the owner's went. */
bool perms_strip(struct perms *p, uint16_t domid);

/* One entry as the protocol writes it: "r5". 0 or -EINVAL. */
int perm_parse(const char *text, struct perm *out);
#define PERM_TEXT_MAX 7
size_t perm_print(const struct perm *p, char text[PERM_TEXT_MAX]);

#endif

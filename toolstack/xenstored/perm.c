/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of permissions: what they grant, and how the protocol writes them. */
#include "perm.h"
#include "memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

unsigned int perms_of(const struct perms *p, const struct who *who)
{
	const unsigned int all = PERM_READ | PERM_WRITE | PERM_OWNER;

	if (who->all || p->list[0].domid == who->domid || p->list[0].domid == who->target)
		return all;
	for (size_t i = 1; i < p->n; i++)
		if (p->list[i].domid == who->domid || p->list[i].domid == who->target)
			return p->list[i].bits;
	return p->list[0].bits;
}

struct perms perms_one(uint16_t owner, unsigned int others)
{
	struct perms p = {.list = new_array(1, sizeof(struct perm)), .n = 1};

	p.list[0] = (struct perm){.domid = owner, .bits = others};
	return p;
}

struct perms perms_copy(const struct perms *p)
{
	struct perms c = {.list = new_array(p->n, sizeof(struct perm)), .n = p->n};

	memcpy(c.list, p->list, p->n * sizeof(*p->list));
	return c;
}

void perms_free(struct perms *p)
{
	free(p->list);
	p->list = NULL;
	p->n = 0;
}

bool perms_equal(const struct perms *a, const struct perms *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->list[i].domid != b->list[i].domid || a->list[i].bits != b->list[i].bits)
			return false;
	return true;
}

bool perms_strip(struct perms *p, uint16_t domid)
{
	size_t kept = 1;

	for (size_t i = 1; i < p->n; i++)
		if (p->list[i].domid != domid)
			p->list[kept++] = p->list[i];
	if (kept == p->n)
		return false;
	p->n = kept;
	return true;
}

static const char letters[] = "nrwb";

int perm_parse(const char *text, struct perm *out)
{
	const char *letter = *text ? strchr(letters, *text) : NULL;
	unsigned long domid;
	char *end;

	if (!letter || text[1] < '0' || text[1] > '9')
		return -EINVAL;
	domid = strtoul(text + 1, &end, 10);
	if (*end || domid > UINT16_MAX)
		return -EINVAL;
	out->bits = letter - letters;
	out->domid = domid;
	return 0;
}

size_t perm_print(const struct perm *p, char text[PERM_TEXT_MAX])
{
	return snprintf(text, PERM_TEXT_MAX, "%c%u", letters[p->bits & 3], p->domid);
}

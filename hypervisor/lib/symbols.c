/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The image's own symbol table: lines "<address> <type> <name>\n" in address order, as nm prints
 * them, put into the section .symbols after the link (link-image.sh). Read only when
 * something went wrong, so it is searched from the start. An image without a table prints bare
 * addresses.
 */
#include <lib.h>
#include <power.h>

#define KSYMS_SIZE (128 * 1024)

/* Volatile in spirit: the build replaces the content, the compiler must not believe the
 * initialiser. */
static const char ksyms[KSYMS_SIZE] __attribute__((section(".symbols"), used, aligned(16))) = {0};

struct symbol {
	u64 addr;
	char type;
	const char *name;
	size_t len;
};

static const char *table(void)
{
	const char *p = ksyms;

	__asm__("" : "+r"(p));
	return p;
}

/* Decodes the line at s; returns the next line, NULL at the end. */
static const char *next_symbol(const char *s, struct symbol *sym)
{
	u64 a = 0;

	for (; (*s >= '0' && *s <= '9') || (*s >= 'a' && *s <= 'f'); s++)
		a = a << 4 | (u64)(*s <= '9' ? *s - '0' : *s - 'a' + 10);
	if (*s != ' ' || !s[1] || s[2] != ' ')
		return NULL;
	sym->addr = a;
	sym->type = s[1];
	sym->name = s + 3;
	for (s = sym->name; *s && *s != '\n';)
		s++;
	sym->len = (size_t)(s - sym->name);
	return *s ? s + 1 : s;
}

const char *symbol_format(char *buf, size_t size, u64 addr)
{
	struct symbol s, best = {0, 0, NULL, 0};
	u64 end = 0;

	for (const char *p = table(); (p = next_symbol(p, &s));) {
		if (s.addr > addr) {
			end = s.addr;
			break;
		}
		best = s;
	}
	if (!best.name || !end)
		snprintf(buf, size, "%016lx", addr);
	else
		snprintf(buf, size, "%016lx %.*s+%#lx/%#lx", addr, (int)best.len, best.name, addr - best.addr,
			 end - best.addr);
	return buf;
}

bool symbol_nth(u32 index, u64 *addr, char *type, char *name, size_t size)
{
	struct symbol s;

	for (const char *p = table(); (p = next_symbol(p, &s));) {
		if (index--)
			continue;
		*addr = s.addr;
		*type = s.type;
		snprintf(name, size, "%.*s", (int)s.len, s.name);
		return true;
	}
	return false;
}

u32 symbol_count(void)
{
	struct symbol s;
	u32 n = 0;

	for (const char *p = table(); (p = next_symbol(p, &s));)
		n++;
	return n;
}

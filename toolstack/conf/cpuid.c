/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two forms of `cpuid =`, both read into rules of one leaf each:
 *
 *   "host,avx=0,family=6"                names, as xl and cpufeatureset.h spell them
 *   [ "leaf[,subleaf]:reg=bits,..." ]    registers, bit 31 first
 *
 * A bit is 0 or 1, x (what the host gives its domains), or k (what the host has itself; s is the old word for it).
 */
#include "model.h"
#include "serai/xc.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EAX, EBX, ECX, EDX };

const char *const cpuid_registers[4] = {"eax", "ebx", "ecx", "edx"};

/* Names that xl takes besides those of cpufeatureset.h: word and bit there. */
static const struct {
	const char *name;
	unsigned int bit;
} aliases[] = {
	{"cmpxchg8", 0 * 32 + 8},    {"sysenter", 0 * 32 + 11},     {"clfsh", 0 * 32 + 19},
	{"psn", 0 * 32 + 18},        {"ia64", 0 * 32 + 30},         {"tm", 0 * 32 + 29},
	{"est", 1 * 32 + 7},         {"cntxid", 1 * 32 + 10},       {"cmpxchg16", 1 * 32 + 13},
	{"sse4_1", 1 * 32 + 19},     {"sse4.1", 1 * 32 + 19},       {"sse4_2", 1 * 32 + 20},
	{"sse4.2", 1 * 32 + 20},     {"tsc_deadline", 1 * 32 + 24}, {"aes", 1 * 32 + 25},
	{"lahfsahf", 3 * 32 + 0},    {"cmplegacy", 3 * 32 + 1},     {"altmovcr8", 3 * 32 + 4},
	{"lzcnt", 3 * 32 + 5},       {"nodeid", 3 * 32 + 19},       {"perfctr_core", 3 * 32 + 23},
	{"perfctr_nb", 3 * 32 + 24}, {"tsc_adjust", 5 * 32 + 1},    {"cmt", 5 * 32 + 12},
	{"invtsc", 7 * 32 + 8},      {"lfence+", 11 * 32 + 2},
};

/* What no word of cpufeatureset.h holds: fields of several bits, and flags of leaves that have no word. */
static const struct {
	const char *name;
	uint32_t leaf, subleaf;
	unsigned int reg, shift, width;
} fields[] = {
	{"maxleaf", 0, CPUID_NO_SUBLEAF, EAX, 0, 32},
	{"stepping", 1, CPUID_NO_SUBLEAF, EAX, 0, 4},
	{"localapicid", 1, CPUID_NO_SUBLEAF, EBX, 24, 8},
	{"proccount", 1, CPUID_NO_SUBLEAF, EBX, 16, 8},
	{"clflush", 1, CPUID_NO_SUBLEAF, EBX, 8, 8},
	{"brandid", 1, CPUID_NO_SUBLEAF, EBX, 0, 8},
	{"procpkg", 4, 0, EAX, 26, 6},
	{"arat", 6, CPUID_NO_SUBLEAF, EAX, 2, 1},
	{"maxhvleaf", 0x40000000, CPUID_NO_SUBLEAF, EAX, 0, 8},
	{"nc", 0x80000008, CPUID_NO_SUBLEAF, ECX, 0, 8},
	{"apicidsize", 0x80000008, CPUID_NO_SUBLEAF, ECX, 12, 4},
	{"svm_npt", 0x8000000a, CPUID_NO_SUBLEAF, EDX, 0, 1},
	{"svm_lbrv", 0x8000000a, CPUID_NO_SUBLEAF, EDX, 1, 1},
	{"svm_nrips", 0x8000000a, CPUID_NO_SUBLEAF, EDX, 3, 1},
	{"svm_tscrate", 0x8000000a, CPUID_NO_SUBLEAF, EDX, 4, 1},
	{"svm_vmcbclean", 0x8000000a, CPUID_NO_SUBLEAF, EDX, 5, 1},
	{"svm_decode", 0x8000000a, CPUID_NO_SUBLEAF, EDX, 7, 1},
	{"svm_pausefilt", 0x8000000a, CPUID_NO_SUBLEAF, EDX, 10, 1},
};

struct out {
	struct domain_config *c;
	char *error;
	size_t len;
};

static int bad(struct out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int bad(struct out *o, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(o->error, o->len, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

struct cpuid_rule *config_cpuid_rule(struct domain_config *c, uint32_t leaf, uint32_t subleaf)
{
	struct cpuid_rule *r = c->cpuid;

	for (unsigned int i = 0; i < c->nr_cpuid; i++)
		if (r[i].leaf == leaf && r[i].subleaf == subleaf)
			return &r[i];
	r = realloc(r, (c->nr_cpuid + 1) * sizeof(*r));
	if (!r)
		return NULL;
	c->cpuid = r;
	r += c->nr_cpuid++;
	memset(r, 0, sizeof(*r));
	r->leaf = leaf;
	r->subleaf = subleaf;
	return r;
}

bool cpuid_bits_valid(const char *bits)
{
	return strlen(bits) == 32 && strspn(bits, "01xks") == 32;
}

/* `width` bits from `shift` up of one register: the bits of value, or all of them `letter`. */
static int put(struct out *o, uint32_t leaf, uint32_t subleaf, unsigned int reg, unsigned int shift,
	       unsigned int width, char letter, uint32_t value)
{
	struct cpuid_rule *r = config_cpuid_rule(o->c, leaf, subleaf);

	if (!r)
		return -ENOMEM;
	if (!r->bits[reg][0])
		memset(r->bits[reg], 'x', 32);
	for (unsigned int i = 0; i < width; i++)
		r->bits[reg][31 - shift - i] = letter ? letter : '0' + (value >> i & 1);
	return 0;
}

/* -------- names -------- */

/* Is the value one letter for the whole field, or a number? */
static int value_parse(struct out *o, const char *name, const char *text, unsigned int width, char *letter,
		       uint32_t *value)
{
	unsigned long max = width == 32 ? 0xffffffff : (1ul << width) - 1, v;
	char *end;

	*letter = 0;
	*value = 0;
	if (text[0] && strchr("xks", text[0]) && !text[1]) {
		*letter = text[0];
		return 0;
	}
	if (width == 1)
		return !strcmp(text, "0") || !strcmp(text, "1")
			       ? (*value = text[0] == '1', 0)
			       : bad(o, "%s=%s: a flag is 0, 1, x, k or s", name, text);
	errno = 0;
	v = strtoul(text, &end, 0);
	if (!isdigit((unsigned char)text[0]) || *end || errno || v > max)
		return bad(o, "%s=%s: a number up to %lu is wanted, or x, k, s", name, text, max);
	*value = v;
	return 0;
}

/*
 * Family and model lie in two pieces each (Intel SDM volume 2, CPUID, "Version Information"):
 *
 *   27        20 19    16      11     8 7      4 3       0
 *   | ext.family | ext.model | ... | family | model | stepping |
 *
 * The family is the sum of its pieces, and the second one counts when the first is 15.
 */
static int signature(struct out *o, const char *name, const char *text)
{
	const bool family = !strcmp(name, "family");
	uint32_t v, low, high;
	char letter;
	int rc = value_parse(o, name, text, 8, &letter, &v);

	if (rc < 0)
		return rc;
	low = family ? (v < 15 ? v : 15) : v & 15;
	high = family ? v - low : v >> 4;
	rc = put(o, 1, CPUID_NO_SUBLEAF, EAX, family ? 8 : 4, 4, letter, low);
	return rc < 0 ? rc : put(o, 1, CPUID_NO_SUBLEAF, EAX, family ? 20 : 16, family ? 8 : 4, letter, high);
}

static bool feature_find(const char *name, unsigned int *bit)
{
	char known[XC_FEATURE_NAME];

	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
		if (!strcmp(name, aliases[i].name)) {
			*bit = aliases[i].bit;
			return true;
		}
	for (*bit = 0; *bit < XC_FEATURE_WORDS * 32; ++*bit)
		if (!strcmp(name, xc_feature_name(*bit, known)))
			return true;
	return false;
}

static int name_parse(struct out *o, const char *name, const char *text)
{
	unsigned int bit, reg;
	uint32_t leaf, subleaf, value;
	char letter;
	int rc;

	if (!strcmp(name, "family") || !strcmp(name, "model"))
		return signature(o, name, text);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (strcmp(name, fields[i].name))
			continue;
		rc = value_parse(o, name, text, fields[i].width, &letter, &value);
		return rc < 0 ? rc
			      : put(o, fields[i].leaf, fields[i].subleaf, fields[i].reg, fields[i].shift,
				    fields[i].width, letter, value);
	}
	if (!feature_find(name, &bit))
		return bad(o, "\"%s\" is not the name of a CPU feature (serai cpu-policy show lists them)",
			   name);
	if (xc_feature_word(bit / 32, &leaf, &subleaf, &reg) < 0)
		return bad(o, "\"%s\" is in an MSR, which cpuid cannot change (arch-caps=0 hides the MSR)",
			   name);
	rc = value_parse(o, name, text, 1, &letter, &value);
	return rc < 0 ? rc : put(o, leaf, subleaf, reg, bit % 32, 1, letter, value);
}

/* "host,name=value,..." */
static int names_parse(struct out *o, char *text)
{
	char *save, *word = strtok_r(text, ",", &save);
	int rc = 0;

	if (!word || strcmp(word, "host"))
		return bad(o, "the first word must be \"host\", not \"%s\"", word ? word : "");
	while (rc == 0 && (word = strtok_r(NULL, ",", &save))) {
		char *eq = strchr(word, '=');

		if (!eq)
			return bad(o, "\"%s\" is not name=value", word);
		*eq = 0;
		rc = name_parse(o, word, eq + 1);
	}
	return rc;
}

/* -------- registers -------- */

static int leaf_number(const char **t, uint32_t *v)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(*t, &end, 0);
	if (!isdigit((unsigned char)**t) || errno || n > 0xffffffff)
		return -EINVAL;
	*t = end;
	*v = n;
	return 0;
}

static int register_find(const char *name, size_t len)
{
	for (int i = 0; i < 4; i++)
		if (len == 3 && !strncmp(name, cpuid_registers[i], 3))
			return i;
	return -1;
}

/* "leaf[,subleaf]:reg=bits[,reg=bits]..." */
static int registers_parse(struct out *o, const char *spec)
{
	const char *t = spec;
	uint32_t leaf, subleaf = CPUID_NO_SUBLEAF;
	struct cpuid_rule *r;

	if (leaf_number(&t, &leaf) < 0 || (*t == ',' && (t++, leaf_number(&t, &subleaf) < 0)) || *t != ':')
		return bad(o, "\"%s\" is not leaf[,subleaf]:register=bits", spec);
	r = config_cpuid_rule(o->c, leaf, subleaf);
	if (!r)
		return -ENOMEM;
	do {
		size_t name = strcspn(++t, "="), bits;
		int reg = register_find(t, name);

		if (reg < 0)
			return bad(o, "\"%s\": \"%.*s\" is not a register (eax, ebx, ecx, edx)", spec,
				   (int)name, t);
		t += name;
		bits = *t ? strcspn(++t, ",") : 0;
		snprintf(r->bits[reg], sizeof(r->bits[reg]), "%.*s", (int)(bits > 32 ? 0 : bits), t);
		if (!cpuid_bits_valid(r->bits[reg]))
			return bad(o, "\"%s\": \"%.*s\" is not 32 of the letters 0, 1, x, k and s", spec,
				   (int)bits, t);
		t += bits;
	} while (*t);
	return 0;
}

int config_add_cpuid(struct domain_config *c, const char *spec, bool names, char *error, size_t len)
{
	struct out o = {.c = c, .error = error, .len = len};
	char *copy;
	int rc;

	if (!names)
		return registers_parse(&o, spec);
	copy = strdup(spec);
	if (!copy)
		return -ENOMEM;
	rc = names_parse(&o, copy);
	free(copy);
	return rc;
}

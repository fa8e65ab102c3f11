/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line: words separated by blanks, each `name`, `name=value` or `no-name`; double
 * quotes keep blanks in a value. What nobody knows and what does not parse is named in the boot log
 * and has no effect; a mistyped option never stops a machine from coming up.
 */
#include <lib.h>
#include <options.h>
#include <xerrno.h>

/* The linker gathers the OPTION()s of all files between these (image.lds). */
extern const struct boot_option __options_start[], __options_end[];

char boot_cmdline[1024];

static const struct boot_option *find_option(const char *name)
{
	const struct boot_option *o;

	for (o = __options_start; o < __options_end; o++)
		if (!strcmp(o->name, name))
			return o;
	return NULL;
}

static void apply(char *word)
{
	char *value = strchr(word, '=');
	const struct boot_option *o;

	if (value)
		*value++ = 0;
	o = find_option(word);
	if (!o && !value && !strncmp(word, "no-", 3)) {
		o = find_option(word + 3);
		value = "no";
	}
	if (!o) {
		printk(XLOG_WARNING "Unknown option '%s' ignored\n", word);
		return;
	}
	if (o->fn(value ? value : "") != 0)
		printk(XLOG_WARNING "Option '%s': value '%s' not understood, ignored\n", o->name,
		       value ? value : "");
}

/* Takes the next word out of *s into word, without its quotes. False at the end. */
static bool next_word(const char **s, char *word, size_t size)
{
	bool quoted = false;
	size_t n = 0;
	const char *p = *s;

	while (*p == ' ' || *p == '\t' || *p == '\n')
		p++;
	if (!*p)
		return false;
	for (; *p && (quoted || (*p != ' ' && *p != '\t' && *p != '\n')); p++) {
		if (*p == '"')
			quoted = !quoted;
		else if (n < size - 1)
			word[n++] = *p;
	}
	word[n] = 0;
	*s = p;
	return true;
}

void options_parse(const char *cmdline)
{
	static char word[sizeof(boot_cmdline)];
	const char *s;

	snprintf(boot_cmdline, sizeof(boot_cmdline), "%s", cmdline);
	for (s = boot_cmdline; next_word(&s, word, sizeof(word));)
		if (word[0])
			apply(word);
}

static bool one_of(const char *v, const char *const *words)
{
	for (; *words; words++)
		if (!strcmp(v, *words))
			return true;
	return false;
}

int option_bool(const char *value, bool *out)
{
	static const char *const yes[] = {"", "yes", "on", "true", "enable", "1", NULL};
	static const char *const no[] = {"no", "off", "false", "disable", "0", NULL};

	if (one_of(value, yes))
		*out = true;
	else if (one_of(value, no))
		*out = false;
	else
		return -EINVAL;
	return 0;
}

const char *option_number(const char *s, u64 *out)
{
	unsigned int base = 10, digit;
	const char *first;
	u64 v = 0;

	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		base = 16;
		s += 2;
	}
	for (first = s;; s++) {
		if (*s >= '0' && *s <= '9')
			digit = (unsigned int)(*s - '0');
		else if ((*s | 0x20) >= 'a' && (*s | 0x20) <= 'f')
			digit = (unsigned int)((*s | 0x20) - 'a') + 10;
		else
			break;
		if (digit >= base)
			break;
		if (__builtin_mul_overflow(v, (u64)base, &v) || __builtin_add_overflow(v, (u64)digit, &v))
			return NULL;
	}
	if (s == first)
		return NULL;
	*out = v;
	return s;
}

int option_uint(const char *value, unsigned int *out)
{
	u64 v;
	const char *end = option_number(value, &v);

	if (!end || *end || v > UINT_MAX)
		return -EINVAL;
	*out = (unsigned int)v;
	return 0;
}

int option_size(const char *value, const char **end, u64 *bytes)
{
	unsigned int shift;
	u64 v;
	const char *s = option_number(value, &v);

	if (!s)
		return -EINVAL;
	switch (*s) {
	case 'B':
	case 'b':
		shift = 0;
		break;
	case 'K':
	case 'k':
		shift = 10;
		break;
	case 'M':
	case 'm':
		shift = 20;
		break;
	case 'G':
	case 'g':
		shift = 30;
		break;
	case 'T':
	case 't':
		shift = 40;
		break;
	default:
		shift = 10; /* a bare number is KiB */
		s--;
		break;
	}
	s++;
	if (v > (~0ULL >> shift))
		return -EINVAL;
	*bytes = v << shift;
	if (end)
		*end = s;
	else if (*s)
		return -EINVAL;
	return 0;
}

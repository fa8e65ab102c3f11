/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON as all verbs print it. docs/schema has a file for every verb that does, and tests/schema compares the
 * members that are put in with those that are described.
 */
#include "cli.h"

#include <errno.h>
#include <string.h>

/*
 * Length of the well-formed sequence at s (Unicode 15, table 3-7), 0 when there is none. The second byte's bounds keep
 * out overlong forms, surrogates and what lies beyond U+10FFFF.
 */
static size_t utf8_length(const unsigned char *s)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t n;

	if (*s < 0x80)
		return 1;
	if (*s < 0xc2 || *s > 0xf4)
		return 0;
	n = *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : 4;
	if (*s == 0xe0)
		low = 0xa0;
	else if (*s == 0xed)
		high = 0x9f;
	else if (*s == 0xf0)
		low = 0x90;
	else if (*s == 0xf4)
		high = 0x8f;
	if (s[1] < low || s[1] > high)
		return 0;
	/* The terminating zero is no continuation, so that none of this reads past it. */
	for (size_t i = 2; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

/* A copy in which what is not UTF-8 is U+FFFD: guests write to the store and to the hypervisor's log. */
static char *utf8_copy(const char *s)
{
	char *clean = malloc(3 * strlen(s) + 1), *to = clean;

	while (clean && *s) {
		size_t n = utf8_length((const unsigned char *)s);

		if (n)
			to = mempcpy(to, s, n);
		else
			to = mempcpy(to, "\xef\xbf\xbd", 3);
		s += n ? n : 1;
	}
	if (clean)
		*to = 0;
	return clean;
}

int print_json(struct json_object *o)
{
	char *t = utf8_copy(json_object_to_json_string_ext(
		o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE));
	int rc = t ? 0 : -ENOMEM;

	if (t)
		puts(t);
	free(t);
	json_object_put(o);
	return rc;
}

struct json_object *json_str(const char *s)
{
	return s ? json_object_new_string(s) : NULL;
}

struct json_object *json_u64(uint64_t v)
{
	return json_object_new_uint64(v);
}

struct json_object *json_fixed(double v, const char *format)
{
	struct json_object *o = json_object_new_double(v);

	/* The library does not write to its argument, whatever its type says. */
	json_object_set_serializer(o, json_object_double_to_json_string, (void *)(uintptr_t)format, NULL);
	return o;
}

void json_put(struct json_object *o, const char *key, struct json_object *v)
{
	json_object_object_add(o, key, v);
}

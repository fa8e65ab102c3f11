/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fan-out buffer: a ring addressed by stream position. Invariant: the bytes at positions
 * [fan_start, end) are at position modulo size.
 */
#include "fan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FAN_FIRST 4096u

void fan_init(struct fan *f, size_t limit)
{
	memset(f, 0, sizeof(*f));
	f->limit = FAN_FIRST;
	while (f->limit <= limit / 2)
		f->limit *= 2;
}

void fan_free(struct fan *f)
{
	free(f->data);
	f->data = NULL;
	f->size = 0;
}

uint64_t fan_start(const struct fan *f)
{
	return f->end > f->size ? f->end - f->size : 0;
}

static void place(struct fan *f, uint64_t pos, const char *p, size_t n)
{
	size_t at = pos & (f->size - 1), first = f->size - at;

	if (first > n)
		first = n;
	memcpy(f->data + at, p, first);
	memcpy(f->data, p + first, n - first);
}

/* Make room for `n` more without forgetting anything, as far as the limit and memory allow. */
static void grow(struct fan *f, size_t n)
{
	struct fan larger = *f;
	uint64_t pos = fan_start(f), lost;

	larger.size = f->size ? f->size : FAN_FIRST;
	while (larger.size < f->limit && larger.size < f->end - pos + n)
		larger.size *= 2;
	if (larger.size == f->size)
		return;
	larger.data = malloc(larger.size);
	if (!larger.data)
		return;
	for (;;) {
		size_t len;
		const char *p = fan_peek(f, &pos, &len, &lost);

		if (!len)
			break;
		place(&larger, pos, p, len);
		pos += len;
	}
	free(f->data);
	*f = larger;
}

int fan_put(struct fan *f, const char *p, size_t n)
{
	if (f->size < f->limit && n > f->size - (f->end - fan_start(f)))
		grow(f, n);
	if (!f->size)
		return -ENOMEM;
	if (n > f->size) {
		f->end += n - f->size;
		p += n - f->size;
		n = f->size;
	}
	place(f, f->end, p, n);
	f->end += n;
	return 0;
}

const char *fan_peek(const struct fan *f, uint64_t *pos, size_t *n, uint64_t *lost)
{
	uint64_t start = fan_start(f);
	size_t at;

	*lost = *pos < start ? start - *pos : 0;
	*pos += *lost;
	if (!f->size || *pos >= f->end) {
		*n = 0;
		return NULL;
	}
	at = *pos & (f->size - 1);
	*n = f->end - *pos;
	if (*n > f->size - at)
		*n = f->size - at;
	return f->data + at;
}

uint64_t fan_recent(const struct fan *f, size_t n)
{
	uint64_t pos = fan_start(f), p;

	if (!f->size || f->end - pos <= n)
		return pos;
	pos = f->end - n;
	for (p = pos; p < f->end; p++)
		if (f->data[p & (f->size - 1)] == '\n' && p + 1 < f->end)
			return p + 1;
	return pos;
}

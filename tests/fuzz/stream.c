/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libFuzzer: the reader of saved domains, as a file, a container or a bare stream. */
#include "toolstack/stream/reader.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *p;
	size_t n;
};

static int take(void *arg, void *to, size_t n)
{
	struct input *i = arg;

	if (n > i->n)
		return -EPIPE;
	if (n)
		memcpy(to, i->p, n);
	i->p += n;
	i->n -= n;
	return 0;
}

static int record(void *arg, uint32_t type, const void *body, uint32_t len)
{
	unsigned int *sum = arg;

	/* Touch all of the body, so that a wrong length shows. */
	for (uint32_t i = 0; i < len; i++)
		*sum += ((const uint8_t *)body)[i] ^ type;
	return 0;
}

/* As a restorer takes pages: each to a place of its own. */
static int pages(void *arg, const uint64_t *words, uint32_t n, void **to)
{
	static uint8_t place[2 * PAGE_BYTES];
	unsigned int k = 0;

	(void)arg;
	for (uint32_t i = 0; i < n; i++)
		if (page_has_data(words[i] >> PAGE_TYPE_SHIFT)) {
			to[k] = place + k % 2 * PAGE_BYTES;
			k++;
		}
	return 0;
}

static int placed(void *arg)
{
	(void)arg;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int sum = 0;
	const bool apart = size & 1;
	const struct stream_visitor v = {.record = record,
					 .arg = &sum,
					 .pages = apart ? pages : NULL,
					 .placed = apart ? placed : NULL};
	struct input i = {data, size};
	struct stream_reader r = {.read = take, .arg = &i};

	if (size && *data == 'X')
		savefile_read(&r, &v);
	else if (size && *data == 'L')
		container_read(&r, &v);
	else
		stream_read(&r, &v);
	return 0;
}

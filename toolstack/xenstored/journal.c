/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "journal.h"
#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "SERAIXS"
#define FILE_VERSION 1u
#define STEP (1u << 20)           /* the file grows in steps */
#define MAPPED (size_t)(1u << 30) /* address space, not memory */

struct header {
	char magic[8];
	uint32_t version, pad;
	_Atomic uint64_t tail;
	_Atomic uint64_t work; /* the record being worked on, 0: none */
	_Atomic uint32_t attempts;
};

struct journal {
	int fd;
	char *path;
	char *base;
	size_t file; /* bytes the file has */
	size_t cursor, pending, last;
};

static struct header *header(const struct journal *j)
{
	return (struct header *)j->base;
}

static size_t whole(size_t len)
{
	return (sizeof(struct record) + len + 7) & ~(size_t)7;
}

static int map(struct journal **out, const char *path, int flags)
{
	struct journal *j = new_zeroed(sizeof(*j));
	struct stat st;
	int rc;

	j->path = copy_text(path);
	j->fd = open(path, O_RDWR | O_CLOEXEC | flags, 0600);
	if (j->fd < 0 || fstat(j->fd, &st) < 0)
		goto fail;
	j->file = st.st_size;
	j->base = mmap(NULL, MAPPED, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, j->fd, 0);
	if (j->base == MAP_FAILED)
		goto fail;
	*out = j;
	return 0;
fail:
	rc = -errno;
	if (j->fd >= 0)
		close(j->fd);
	free(j->path);
	free(j);
	return rc;
}

int journal_create(struct journal **out, const char *path)
{
	struct journal *j = NULL;
	int rc = map(&j, path, O_CREAT | O_TRUNC);

	if (rc || !j)
		return rc;
	rc = journal_reserve(j, STEP);
	if (rc) {
		journal_close(j);
		return rc;
	}
	memcpy(header(j)->magic, MAGIC, sizeof(MAGIC));
	header(j)->version = FILE_VERSION;
	header(j)->tail = sizeof(struct header);
	journal_rewind(j);
	*out = j;
	return 0;
}

int journal_open(struct journal **out, const char *path)
{
	struct journal *j = NULL;
	int rc = map(&j, path, 0);

	if (rc || !j)
		return rc;
	if (j->file < sizeof(struct header) || memcmp(header(j)->magic, MAGIC, sizeof(MAGIC)) ||
	    header(j)->version != FILE_VERSION || header(j)->tail > j->file) {
		journal_close(j);
		return -EINVAL;
	}
	journal_rewind(j);
	*out = j;
	return 0;
}

void journal_close(struct journal *j)
{
	if (!j)
		return;
	munmap(j->base, MAPPED);
	close(j->fd);
	free(j->path);
	free(j);
}

int journal_rename(struct journal *j, const char *path)
{
	if (rename(j->path, path) < 0)
		return -errno;
	free(j->path);
	j->path = copy_text(path);
	return 0;
}

int journal_reserve(struct journal *j, size_t len)
{
	size_t want = (j->file ? header(j)->tail : sizeof(struct header)) + len, size = j->file;
	int rc;

	if (want <= j->file)
		return 0;
	while (size < want)
		size += STEP;
	if (size > MAPPED)
		return -ENOSPC;
	/* Pages that exist cannot be missing later, when there is nobody to tell. */
	rc = posix_fallocate(j->fd, j->file, size - j->file);
	if (rc)
		return -rc;
	j->file = size;
	return 0;
}

size_t journal_size(const struct journal *j)
{
	return header(j)->tail;
}

void *journal_begin(struct journal *j, enum record_type type, uint16_t aux, size_t len)
{
	struct record *r;

	if (journal_reserve(j, whole(len)))
		abort(); /* the caller reserves ahead; nothing that is not recorded may be acted on
			  */
	r = (struct record *)(j->base + header(j)->tail);
	r->len = len;
	r->type = type;
	r->aux = aux;
	j->pending = whole(len);
	return r->data;
}

void journal_commit(struct journal *j)
{
	struct header *h = header(j);

	j->last = h->tail;
	atomic_store_explicit(&h->tail, h->tail + j->pending, memory_order_release);
	j->cursor = h->tail;
}

void journal_rewind(struct journal *j)
{
	j->cursor = sizeof(struct header);
}

const struct record *journal_next(struct journal *j)
{
	const struct record *r = (const struct record *)(j->base + j->cursor);
	size_t tail = header(j)->tail;

	if (j->cursor + sizeof(*r) > tail || whole(r->len) > tail - j->cursor)
		return NULL;
	j->last = j->cursor;
	j->cursor += whole(r->len);
	return r;
}

bool journal_suspect(const struct journal *j)
{
	return header(j)->work == j->last;
}

unsigned int journal_attempt(struct journal *j)
{
	struct header *h = header(j);

	if (h->work != j->last) {
		h->attempts = 0;
		h->work = j->last;
	}
	return h->attempts++;
}

void journal_done(struct journal *j)
{
	header(j)->work = 0;
	header(j)->attempts = 0;
}

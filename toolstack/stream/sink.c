/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sink.h"
#include "peer.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

#define CHUNK (128u << 10)
/* What the pacing looks back at: an idle time longer than this is not made up for. */
#define BURST_S 0.1

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

int sink_open(struct sink *k, int fd, bool compress, uint64_t rate)
{
	*k = (struct sink){.fd = fd, .rate = rate, .start = now_s()};
	if (!compress)
		return 0;
	k->zstd = ZSTD_createCCtx();
	k->out = malloc(CHUNK);
	if (k->zstd && k->out) {
		ZSTD_CCtx_setParameter(k->zstd, ZSTD_c_compressionLevel, 1);
		ZSTD_CCtx_setParameter(k->zstd, ZSTD_c_checksumFlag, 1);
		return 0;
	}
	sink_close(k);
	return -ENOMEM;
}

void sink_close(struct sink *k)
{
	ZSTD_freeCCtx(k->zstd);
	free(k->out);
	k->zstd = k->out = NULL;
}

/* Wait until the bytes sent are no more than the rate allows by now. */
static void pace(struct sink *k, size_t n)
{
	double due, now = now_s();
	struct timespec t;

	if (!k->rate)
		return;
	if (k->start < now - BURST_S)
		k->start = now - BURST_S;
	k->start += (double)n / k->rate;
	due = k->start - now;
	if (due <= 0)
		return;
	t = (struct timespec){(time_t)due, (long)((due - (time_t)due) * 1e9)};
	nanosleep(&t, NULL); /* cut short by a signal: the next write looks */
}

static int wire(struct sink *k, struct iovec *v, int n)
{
	while (n) {
		ssize_t w = writev(k->fd, v, n < IOV_MAX ? n : IOV_MAX);

		if (move_cancelled)
			return -ECANCELED;
		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return -errno;
		k->sent += w;
		pace(k, w);
		while (n && (size_t)w >= v->iov_len) {
			w -= v->iov_len;
			v++;
			n--;
		}
		if (n) {
			v->iov_base = (char *)v->iov_base + w;
			v->iov_len -= w;
		}
	}
	return 0;
}

static int squeeze(struct sink *k, ZSTD_inBuffer *in, ZSTD_EndDirective how)
{
	size_t left;

	do {
		ZSTD_outBuffer out = {k->out, CHUNK, 0};
		struct iovec v;
		int rc;

		left = ZSTD_compressStream2(k->zstd, &out, in, how);
		if (ZSTD_isError(left))
			return -EIO;
		v = (struct iovec){k->out, out.pos};
		if (out.pos && (rc = wire(k, &v, 1)) < 0)
			return rc;
	} while (in->pos < in->size || (how != ZSTD_e_continue && left));
	return 0;
}

int sink_writev(struct sink *k, struct iovec *v, int n)
{
	int rc = 0;

	if (!k->zstd)
		return wire(k, v, n);
	for (int i = 0; i < n && rc == 0; i++) {
		ZSTD_inBuffer in = {v[i].iov_base, v[i].iov_len, 0};

		rc = squeeze(k, &in, ZSTD_e_continue);
	}
	return rc;
}

int sink_finish(struct sink *k)
{
	ZSTD_inBuffer in = {"", 0, 0};

	return k->zstd ? squeeze(k, &in, ZSTD_e_end) : 0;
}

int source_open(struct source *k, int fd)
{
	*k = (struct source){.fd = fd, .zstd = ZSTD_createDCtx(), .in = malloc(CHUNK)};
	if (k->zstd && k->in)
		return 0;
	source_close(k);
	return -ENOMEM;
}

void source_close(struct source *k)
{
	ZSTD_freeDCtx(k->zstd);
	free(k->in);
	k->zstd = NULL;
	k->in = NULL;
}

int source_read(void *arg, void *buf, size_t n)
{
	struct source *k = arg;
	ZSTD_outBuffer out = {buf, n, 0};

	while (out.pos < n) {
		ZSTD_inBuffer in = {k->in + k->at, k->len - k->at, 0};
		size_t was = out.pos, rc = ZSTD_decompressStream(k->zstd, &out, &in);

		if (ZSTD_isError(rc))
			return -EBADMSG;
		k->at += in.pos;
		if (out.pos == n || out.pos > was)
			continue;
		if (k->at == k->len) {
			ssize_t r = read(k->fd, k->in, CHUNK);

			if (r < 0 && errno == EINTR)
				continue;
			if (r <= 0)
				return r ? -errno : -EPIPE;
			k->at = 0;
			k->len = r;
		}
	}
	return 0;
}

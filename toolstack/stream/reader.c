/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The record reader. Invariants a visitor may rely on: PV_INFO comes before any other PV record, static
 * data before pages in version 3, P2M_FRAMES before pages, page counts and types are sane, vCPU records
 * have the size of what they carry, END is last.
 */
#include "reader.h"

#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xen/xen.h>

static const char *const names[] = {
	"END",
	"PAGE_DATA",
	"X86_PV_INFO",
	"X86_PV_P2M_FRAMES",
	"X86_PV_VCPU_BASIC",
	"X86_PV_VCPU_EXTENDED",
	"X86_PV_VCPU_XSAVE",
	"SHARED_INFO",
	"X86_TSC_INFO",
	"HVM_CONTEXT",
	"HVM_PARAMS",
	"TOOLSTACK",
	"X86_PV_VCPU_MSRS",
	"VERIFY",
	"CHECKPOINT",
	"CHECKPOINT_DIRTY_PFN_LIST",
	"STATIC_DATA_END",
	"X86_CPUID_POLICY",
	"X86_MSR_POLICY",
};

const char *stream_record_name(uint32_t type)
{
	type &= ~RECORD_OPTIONAL;
	return type < sizeof(names) / sizeof(names[0]) ? names[type] : "unknown";
}

const char *container_record_name(uint32_t type)
{
	static const char *const n[] = {"END",
					"LIBXC_CONTEXT",
					"EMULATOR_XENSTORE_DATA",
					"EMULATOR_CONTEXT",
					"CHECKPOINT_END",
					"CHECKPOINT_STATE"};

	type &= ~RECORD_OPTIONAL;
	return type < sizeof(n) / sizeof(n[0]) ? n[type] : "unknown";
}

int stream_fail(struct stream_reader *r, int err, const char *fmt, ...)
{
	char what[192];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	if (!r->error[0])
		snprintf(r->error, sizeof(r->error), "byte %llu, record %u: %s",
			 (unsigned long long)r->offset, r->record, what);
	return err;
}

int stream_read_fd(void *arg, void *buf, size_t n)
{
	char *p = buf;

	while (n) {
		ssize_t got = read((int)(intptr_t)arg, p, n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? -errno : -EPIPE;
		p += got;
		n -= got;
	}
	return 0;
}

static int take(struct stream_reader *r, void *buf, size_t n, const char *what)
{
	int rc = r->read(r->arg, buf, n);

	if (rc == -EPIPE)
		return stream_fail(r, -EPIPE, "the stream ends inside %s", what);
	if (rc < 0)
		return stream_fail(r, rc, "cannot read %s: %s", what, strerror(-rc));
	r->offset += n;
	return 0;
}

static int take_header(struct stream_reader *r, struct record_header *h, const char *(*name)(uint32_t))
{
	int rc = take(r, h, sizeof(*h), "a record header");

	if (rc == 0 && h->length > RECORD_MAX)
		rc = stream_fail(r, -EINVAL, "%s record (type %#x) of %u bytes is too long", name(h->type),
				 h->type, h->length);
	return rc;
}

/* The body, malloc()ed with zeroed padding; NULL when there is none to look at. */
static int take_body(struct stream_reader *r, const struct record_header *h, void **body,
		     const char *(*name)(uint32_t))
{
	size_t padded;
	const uint8_t *b;
	int rc;

	*body = NULL;
	padded = ((size_t)h->length + 7) & ~(size_t)7;
	*body = malloc(padded ? padded : 8);
	if (!*body)
		return stream_fail(r, -ENOMEM, "out of memory");
	rc = take(r, *body, padded, name(h->type));
	b = *body;
	for (size_t i = h->length; rc == 0 && i < padded; i++)
		if (b[i])
			rc = stream_fail(r, -EINVAL, "%s record: padding is not zero", name(h->type));
	if (rc < 0) {
		free(*body);
		*body = NULL;
	}
	return rc;
}

static int check_pages(struct stream_reader *r, const uint8_t *b, uint32_t len)
{
	uint32_t count, zero;
	uint64_t pages = 0, word;

	if (len < 8)
		return stream_fail(r, -EINVAL, "PAGE_DATA record of %u bytes is too short", len);
	memcpy(&count, b, 4);
	memcpy(&zero, b + 4, 4);
	if (zero || count < 1 || count > PAGE_BATCH * 256 || 8 + (uint64_t)count * 8 > len)
		return stream_fail(r, -EINVAL, "PAGE_DATA record: a count of %u does not fit %u bytes", count,
				   len);
	for (uint32_t i = 0; i < count; i++) {
		unsigned int type;

		memcpy(&word, b + 8 + i * 8, 8);
		type = word >> PAGE_TYPE_SHIFT;
		if (word & ~PAGE_PFN_MASK & ((1ull << PAGE_TYPE_SHIFT) - 1) || !page_type_known(type))
			return stream_fail(r, -EINVAL, "PAGE_DATA record: bad page word %#llx",
					   (unsigned long long)word);
		if (r->type == DOMAIN_PV && (word & PAGE_PFN_MASK) > r->p2m_end)
			return stream_fail(r, -EINVAL,
					   "PAGE_DATA record: pfn %#llx is beyond the table's last, %#x",
					   (unsigned long long)(word & PAGE_PFN_MASK), r->p2m_end);
		pages += page_has_data(type);
	}
	if (len != 8 + (uint64_t)count * 8 + pages * PAGE_BYTES)
		return stream_fail(r, -EINVAL,
				   "PAGE_DATA record: %u bytes, but its types announce %llu pages", len,
				   (unsigned long long)pages);
	return 0;
}

static int check_p2m(struct stream_reader *r, const uint8_t *b, uint32_t len)
{
	uint32_t start, end;

	if (len < 8)
		return stream_fail(r, -EINVAL, "X86_PV_P2M_FRAMES record is too short");
	memcpy(&start, b, 4);
	memcpy(&end, b + 4, 4);
	if (start || end < start || end > 1u << 30)
		return stream_fail(r, -EINVAL, "X86_PV_P2M_FRAMES record: range %#x to %#x", start, end);
	if (len != 8 + (end / 512 + 1) * 8ull)
		return stream_fail(r, -EINVAL, "X86_PV_P2M_FRAMES record: %u bytes for pfns up to %#x", len,
				   end);
	if (r->p2m && end < r->p2m_end)
		return stream_fail(r, -EINVAL, "X86_PV_P2M_FRAMES record: the table shrinks");
	r->p2m = true;
	r->p2m_end = end;
	return 0;
}

static int check_vcpu(struct stream_reader *r, uint32_t type, const uint8_t *b, uint32_t len)
{
	uint32_t id, zero;

	if (len < 8)
		return stream_fail(r, -EINVAL, "%s record is too short", stream_record_name(type));
	memcpy(&id, b, 4);
	memcpy(&zero, b + 4, 4);
	if (zero || id >= 8192)
		return stream_fail(r, -EINVAL, "%s record: vCPU %u", stream_record_name(type), id);
	if (type == REC_PV_VCPU_BASIC && len != 8 + sizeof(struct vcpu_guest_context))
		return stream_fail(r, -EINVAL, "X86_PV_VCPU_BASIC record of %u bytes: a 64-bit one has %zu",
				   len, 8 + sizeof(struct vcpu_guest_context));
	if (type == REC_PV_VCPU_EXTENDED && (len < 8 + 16 || len > 8 + 128))
		return stream_fail(r, -EINVAL, "X86_PV_VCPU_EXTENDED record of %u bytes", len);
	/* Two words of feature masks; then, unless the host had no XSAVE, an image: the legacy area at the least. */
	if (type == REC_PV_VCPU_XSAVE && len != 8 + 16 && (len < 8 + 16 + 512 || len > 8 + 16 + 65536))
		return stream_fail(r, -EINVAL, "X86_PV_VCPU_XSAVE record of %u bytes", len);
	if (type == REC_PV_VCPU_MSRS && (len - 8) % 16)
		return stream_fail(r, -EINVAL, "X86_PV_VCPU_MSRS record of %u bytes is not whole entries",
				   len);
	return 0;
}

static int exact(struct stream_reader *r, uint32_t type, uint32_t len, uint32_t want)
{
	if (len == want)
		return 0;
	return stream_fail(r, -EINVAL, "%s record of %u bytes, %u expected", stream_record_name(type), len,
			   want);
}

static int in_order(struct stream_reader *r, uint32_t type)
{
	const char *name = stream_record_name(type);

	if (r->type != DOMAIN_PV)
		return 0;
	switch (type) {
	case REC_PV_INFO:
		return r->pv_info ? stream_fail(r, -EINVAL, "a second %s record", name) : 0;
	case REC_CPUID_POLICY:
	case REC_MSR_POLICY:
	case REC_STATIC_DATA_END:
		if (r->version < 3)
			return stream_fail(r, -EINVAL, "%s record in a version 2 stream", name);
		return r->static_end ? stream_fail(r, -EINVAL, "%s record after STATIC_DATA_END", name) : 0;
	case REC_PAGE_DATA:
	case REC_PV_P2M_FRAMES:
		if (!r->pv_info || (r->version >= 3 && !r->static_end))
			return stream_fail(r, -EINVAL, "%s record before %s", name,
					   r->pv_info ? "STATIC_DATA_END" : "X86_PV_INFO");
		return type == REC_PAGE_DATA && !r->p2m
			       ? stream_fail(r, -EINVAL, "PAGE_DATA record before X86_PV_P2M_FRAMES")
			       : 0;
	case REC_SHARED_INFO:
	case REC_PV_VCPU_BASIC:
	case REC_PV_VCPU_EXTENDED:
	case REC_PV_VCPU_XSAVE:
	case REC_PV_VCPU_MSRS:
		return r->p2m ? 0 : stream_fail(r, -EINVAL, "%s record before X86_PV_P2M_FRAMES", name);
	}
	return 0;
}

static int check_body(struct stream_reader *r, uint32_t type, const uint8_t *b, uint32_t len)
{
	switch (type) {
	case REC_END:
	case REC_VERIFY:
	case REC_CHECKPOINT:
		return exact(r, type, len, 0);
	case REC_STATIC_DATA_END:
		r->static_end = true;
		return exact(r, type, len, 0);
	case REC_PAGE_DATA:
		return check_pages(r, b, len);
	case REC_PV_INFO:
		if (exact(r, type, len, sizeof(struct pv_info)))
			return -EINVAL;
		if (b[0] != 8 || b[1] != 4)
			return stream_fail(r, -EOPNOTSUPP,
					   "a guest of %u-bit words and %u levels of tables: only 64-bit "
					   "guests run here",
					   b[0] * 8, b[1]);
		r->pv_info = true;
		return 0;
	case REC_PV_P2M_FRAMES:
		return check_p2m(r, b, len);
	case REC_PV_VCPU_BASIC:
	case REC_PV_VCPU_EXTENDED:
	case REC_PV_VCPU_XSAVE:
	case REC_PV_VCPU_MSRS:
		return check_vcpu(r, type, b, len);
	case REC_SHARED_INFO:
		r->shared_info = true;
		return exact(r, type, len, 4096);
	case REC_TSC_INFO:
		return exact(r, type, len, sizeof(struct tsc_record));
	case REC_CPUID_POLICY:
		return len % 24 || !len ? stream_fail(r, -EINVAL, "X86_CPUID_POLICY record of %u bytes", len)
					: 0;
	case REC_MSR_POLICY:
		return len % 16 ? stream_fail(r, -EINVAL, "X86_MSR_POLICY record of %u bytes", len) : 0;
	case REC_HVM_CONTEXT:
	case REC_HVM_PARAMS:
		return r->type == DOMAIN_HVM ? 0
					     : stream_fail(r, -EINVAL, "%s record in a PV stream",
							   stream_record_name(type));
	case REC_TOOLSTACK:
	case REC_CHECKPOINT_DIRTY_PFN_LIST:
		return stream_fail(r, -EOPNOTSUPP, "%s records are not used in these streams",
				   stream_record_name(type));
	default:
		/* A type with the top bit set may be skipped by who does not know it. */
		return type & RECORD_OPTIONAL ? 0
					      : stream_fail(r, -EOPNOTSUPP, "unknown record type %#x", type);
	}
}

static int headers(struct stream_reader *r)
{
	struct stream_header h;
	struct domain_header d;
	int rc = take(r, &h, sizeof(h), "the stream header");

	if (rc < 0)
		return rc;
	r->version = be32toh(h.version);
	if (h.marker != STREAM_MARKER || be32toh(h.ident) != STREAM_IDENT)
		return stream_fail(r, -EINVAL, "this is not a domain stream (no XENF header)");
	if (r->version < 2 || r->version > 3)
		return stream_fail(r, -EOPNOTSUPP, "domain stream version %u: 2 and 3 are understood",
				   r->version);
	if (be16toh(h.options) & STREAM_BIG_ENDIAN)
		return stream_fail(r, -EOPNOTSUPP, "a big-endian stream");
	rc = take(r, &d, sizeof(d), "the domain header");
	if (rc < 0)
		return rc;
	if (d.type != DOMAIN_PV && d.type != DOMAIN_HVM)
		return stream_fail(r, -EINVAL, "domain type %u", d.type);
	if (d.page_shift != 12)
		return stream_fail(r, -EINVAL, "pages of 2^%u bytes", d.page_shift);
	r->type = d.type;
	r->xen_major = d.xen_major;
	r->xen_minor = d.xen_minor;
	return 0;
}

/* The contents of a batch, to where they belong; places that follow one another are read into at once. */
static int take_batch(struct stream_reader *r, const struct stream_visitor *v, const uint64_t *words,
		      uint32_t n)
{
	void *to[PAGE_BATCH];
	size_t nr = 0, run;
	int rc = v->pages(v->arg, words, n, to);

	for (uint32_t i = 0; i < n; i++)
		nr += page_has_data(words[i] >> PAGE_TYPE_SHIFT);
	for (size_t i = 0; i < nr && rc == 0; i += run) {
		for (run = 1; i + run < nr && (char *)to[i + run] == (char *)to[i] + run * PAGE_BYTES;)
			run++;
		rc = take(r, to[i], run * PAGE_BYTES, "PAGE_DATA");
	}
	return rc < 0 ? rc : v->placed(v->arg);
}

/* A PAGE_DATA record whose pages are not kept here. */
static int take_pages(struct stream_reader *r, const struct stream_visitor *v, const struct record_header *h)
{
	uint32_t count = 0, done = 0;
	uint64_t *body;
	int rc;

	if (h->length < 8)
		return check_pages(r, (const uint8_t *)&count, h->length);
	body = malloc(h->length);
	if (!body)
		return stream_fail(r, -ENOMEM, "out of memory");
	rc = take(r, body, 8, "PAGE_DATA");
	if (rc == 0)
		memcpy(&count, body, 4);
	if (rc == 0 && 8 + (uint64_t)count * 8 <= h->length)
		rc = take(r, body + 1, count * 8ul, "PAGE_DATA");
	if (rc == 0)
		rc = check_pages(r, (const uint8_t *)body, h->length);
	while (done < count && rc == 0) {
		uint32_t n = count - done < PAGE_BATCH ? count - done : PAGE_BATCH;

		rc = take_batch(r, v, body + 1 + done, n);
		done += n;
	}
	free(body);
	return rc;
}

static int take_record(struct stream_reader *r, const struct stream_visitor *v, const struct record_header *h)
{
	void *body;
	int rc;

	if (h->type == REC_PAGE_DATA && v->pages)
		return (rc = in_order(r, h->type)) < 0 ? rc : take_pages(r, v, h);
	rc = take_body(r, h, &body, stream_record_name);
	if (!body)
		return rc;
	if ((rc = in_order(r, h->type)) == 0 && (rc = check_body(r, h->type, body, h->length)) == 0)
		rc = v->record(v->arg, h->type, body, h->length);
	free(body);
	return rc;
}

int stream_read(struct stream_reader *r, const struct stream_visitor *v)
{
	int rc = headers(r);

	while (rc == 0) {
		struct record_header h;

		if ((rc = take_header(r, &h, stream_record_name)) < 0 || (rc = take_record(r, v, &h)) < 0)
			break;
		r->record++;
		if (h.type == REC_END)
			break;
	}
	if (rc == 0 && r->type == DOMAIN_PV && !r->shared_info)
		rc = stream_fail(r, -EINVAL, "the stream ends without a SHARED_INFO record");
	return rc;
}

int container_read(struct stream_reader *r, const struct stream_visitor *v)
{
	struct container_header h;
	bool seen = false;
	int rc = take(r, &h, sizeof(h), "the container header");

	if (rc < 0)
		return rc;
	if (be64toh(h.ident) != CONTAINER_IDENT)
		return stream_fail(r, -EINVAL, "this is not a container (no LibxlFmt header)");
	if (be32toh(h.version) != CONTAINER_VERSION)
		return stream_fail(r, -EOPNOTSUPP, "container version %u: 2 is understood",
				   be32toh(h.version));
	if (be32toh(h.options) & 1)
		return stream_fail(r, -EOPNOTSUPP, "a big-endian container");
	for (;;) {
		struct record_header rh;
		void *body = NULL;

		rc = take_header(r, &rh, container_record_name);
		if (rc == 0)
			rc = take_body(r, &rh, &body, container_record_name);
		if (rc < 0)
			return rc;
		if (v->container)
			rc = v->container(v->arg, rh.type, body, rh.length);
		free(body);
		r->record++;
		if (rc < 0)
			return rc;
		switch (rh.type) {
		case CREC_END:
			r->ended = true;
			return seen ? 0 : stream_fail(r, -EINVAL, "the container holds no domain stream");
		case CREC_LIBXC:
			if (rh.length || seen)
				return stream_fail(r, -EINVAL, "LIBXC_CONTEXT record: %s",
						   seen ? "a second one" : "not empty");
			seen = true;
			rc = stream_read(r, v);
			if (rc < 0)
				return rc;
			break;
		case CREC_EMULATOR_XENSTORE:
		case CREC_EMULATOR_CONTEXT:
			break; /* a PV guest has no emulator: carried, not needed */
		default:
			if (!(rh.type & RECORD_OPTIONAL))
				return stream_fail(r, -EOPNOTSUPP, "%s container record (type %#x)",
						   container_record_name(rh.type), rh.type);
		}
	}
}

int savefile_read(struct stream_reader *r, const struct stream_visitor *v)
{
	struct xl_header h;
	uint32_t len;
	char *opt;
	int rc = take(r, &h, sizeof(h), "the file header");

	if (rc < 0)
		return rc;
	if (memcmp(h.magic, XL_MAGIC, XL_MAGIC_LEN))
		return stream_fail(r, -EINVAL, "this is not a saved domain");
	if (h.byte_order != XL_BYTE_ORDER)
		return stream_fail(r, -EOPNOTSUPP, "the file was written with another byte order");
	if (h.mandatory & ~(XL_FLAG_JSON | XL_FLAG_STREAM_V2) || !(h.mandatory & XL_FLAG_STREAM_V2) ||
	    !(h.mandatory & XL_FLAG_JSON))
		return stream_fail(
			r, -EOPNOTSUPP,
			"file flags %#x: a JSON configuration and a version 2 stream are understood",
			h.mandatory);
	if (h.optional_len < 4 || h.optional_len > 1u << 20)
		return stream_fail(r, -EINVAL, "a header of %u bytes", h.optional_len);
	opt = malloc(h.optional_len);
	if (!opt)
		return stream_fail(r, -ENOMEM, "out of memory");
	rc = take(r, opt, h.optional_len, "the configuration");
	if (rc == 0) {
		memcpy(&len, opt, 4);
		if (len > h.optional_len - 4)
			rc = stream_fail(r, -EINVAL, "a configuration of %u bytes in a header of %u", len,
					 h.optional_len);
		else if (v->config)
			rc = v->config(v->arg, opt + 4, len);
	}
	free(opt);
	return rc < 0 ? rc : container_read(r, v);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The shape of a saved or migrating domain. Three layers:
 *
 *   file      "Xen saved domain, xl format\n \0 \r", flags, JSON configuration      (files only)
 *   container header "LibxlFmt" version 2, records; one of them says "a domain stream follows"
 *   stream    header "XENF" version 2 or 3, domain header, records, each padded to 8 bytes
 *
 * Headers are big-endian, everything after them little-endian (an option bit says otherwise; big-endian
 * streams are refused).
 */
#ifndef SERAI_STREAM_FORMAT_H
#define SERAI_STREAM_FORMAT_H

#include <stdint.h>

#define XL_MAGIC "Xen saved domain, xl format\n \0 \r"
#define XL_MAGIC_LEN 32
#define XL_BYTE_ORDER 0x01020304u
#define XL_FLAG_JSON 1u
#define XL_FLAG_STREAM_V2 2u

struct xl_header {
	char magic[XL_MAGIC_LEN];
	uint32_t byte_order, mandatory, optional, optional_len;
};

#define CONTAINER_IDENT 0x4c6962786c466d74ull /* "LibxlFmt" */
#define CONTAINER_VERSION 2u

struct container_header {
	uint64_t ident;
	uint32_t version, options;
};

enum container_record {
	CREC_END = 0,
	CREC_LIBXC = 1,
	CREC_EMULATOR_XENSTORE = 2,
	CREC_EMULATOR_CONTEXT = 3,
	CREC_CHECKPOINT_END = 4,
	CREC_CHECKPOINT_STATE = 5,
};

#define STREAM_MARKER 0xffffffffffffffffull
#define STREAM_IDENT 0x58454e46u /* "XENF" */
#define STREAM_BIG_ENDIAN 1u

struct stream_header {
	uint64_t marker;
	uint32_t ident, version;
	uint16_t options, reserved1;
	uint32_t reserved2;
};

struct domain_header {
	uint32_t type;
	uint16_t page_shift, reserved;
	uint32_t xen_major, xen_minor;
};

#define DOMAIN_PV 1u
#define DOMAIN_HVM 2u

struct record_header {
	uint32_t type, length;
};

#define RECORD_OPTIONAL 0x80000000u

enum stream_record {
	REC_END = 0x00,
	REC_PAGE_DATA = 0x01,
	REC_PV_INFO = 0x02,
	REC_PV_P2M_FRAMES = 0x03,
	REC_PV_VCPU_BASIC = 0x04,
	REC_PV_VCPU_EXTENDED = 0x05,
	REC_PV_VCPU_XSAVE = 0x06,
	REC_SHARED_INFO = 0x07,
	REC_TSC_INFO = 0x08,
	REC_HVM_CONTEXT = 0x09,
	REC_HVM_PARAMS = 0x0a,
	REC_TOOLSTACK = 0x0b,
	REC_PV_VCPU_MSRS = 0x0c,
	REC_VERIFY = 0x0d,
	REC_CHECKPOINT = 0x0e,
	REC_CHECKPOINT_DIRTY_PFN_LIST = 0x0f,
	REC_STATIC_DATA_END = 0x10,
	REC_CPUID_POLICY = 0x11,
	REC_MSR_POLICY = 0x12,
};

/* A body longer than this is no record of ours: 1024 pages, their list, and room. */
#define RECORD_MAX (8u << 20)

/* PAGE_DATA: { count, 0 }, count words of pfn | type << 60, then the pages whose type carries data. */
#define PAGE_BATCH 1024u
#define PAGE_BYTES 4096u
#define PAGE_PFN_MASK ((1ull << 52) - 1)
#define PAGE_TYPE_SHIFT 60
#define PAGE_NOTAB 0u
#define PAGE_L1 1u
#define PAGE_L4 4u
#define PAGE_PINNED 8u
#define PAGE_BROKEN 0xdu
#define PAGE_XALLOC 0xeu
#define PAGE_XTAB 0xfu

static inline int page_type_known(unsigned int type)
{
	return type <= PAGE_L4 || (type >= PAGE_PINNED + PAGE_L1 && type <= PAGE_PINNED + PAGE_L4) ||
	       type >= PAGE_BROKEN;
}

static inline int page_has_data(unsigned int type)
{
	return type < PAGE_BROKEN;
}

static inline unsigned int page_table_level(unsigned int type)
{
	return type < PAGE_BROKEN ? type & 7 : 0;
}

struct pv_info {
	uint8_t width, levels, reserved[6];
};

struct p2m_frames {
	uint32_t start, end; /* first and last pfn of the table */
	uint64_t pfn[];
};

struct vcpu_record {
	uint32_t vcpu, reserved;
	uint8_t context[];
};

struct tsc_record {
	uint32_t mode, khz;
	uint64_t nsec;
	uint32_t incarnation, reserved;
};

_Static_assert(sizeof(struct stream_header) == 24, "stream header");
_Static_assert(sizeof(struct domain_header) == 16, "domain header");
_Static_assert(sizeof(struct container_header) == 16, "container header");
_Static_assert(sizeof(struct xl_header) == 48, "file header");
_Static_assert(sizeof(struct tsc_record) == 24, "tsc record");

const char *stream_record_name(uint32_t type);
const char *container_record_name(uint32_t type);

#endif

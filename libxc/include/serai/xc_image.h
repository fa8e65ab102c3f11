/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Guest kernel images: bzImage or ELF in, loadable segments and the kernel's Xen notes out.
 *
 * Images are untrusted. Every offset is checked against the file before it is used, output sizes are
 * bounded, and nothing is mapped or allocated on an image's word alone.
 */
#ifndef SERAI_XC_IMAGE_H
#define SERAI_XC_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XC_IMAGE_MAX_SEGMENTS 32
/* No kernel or ramdisk of this size is meant seriously. */
#define XC_IMAGE_LIMIT (1ul << 30)

struct xc_segment {
	uint64_t paddr;
	uint64_t memsz, filesz;
	const uint8_t *data;
};

struct xc_kernel {
	struct xc_segment seg[XC_IMAGE_MAX_SEGMENTS];
	unsigned int nr_seg;
	uint64_t pstart, pend; /* physical range the segments cover, as the ELF file says */

	/* From the Xen notes; the has_ flags tell absent from zero. */
	uint64_t entry, virt_base, paddr_offset, init_p2m, hypercall_page, hv_start_low;
	uint32_t phys32_entry;
	bool has_entry, has_hypercall_page, has_init_p2m, has_phys32_entry;
	bool mod_start_pfn; /* the ramdisk is given by frame number and need not be mapped */
	bool suspend_cancel;
	bool requires_dom0; /* "!dom0" style requirement we cannot meet for a guest */
	char guest_os[32], guest_version[32], xen_version[32], loader[32], pae[32], features[128];
	const char *compression; /* of the bzImage payload, or "none" */

	void *owned; /* decompressed image, freed with the kernel */
	size_t owned_len;
};

/*
 * Parse `image`, which must stay valid while *k is used. Returns 0 or a negative errno with the
 * reason in `why`.
 */
int xc_kernel_parse(const void *image, size_t len, struct xc_kernel *k, char *why, size_t why_len);
void xc_kernel_free(struct xc_kernel *k);
/* Can this kernel be started as a 64-bit PV guest? 0, or -ENOEXEC with the reason. */
int xc_kernel_check_pv(const struct xc_kernel *k, char *why, size_t why_len);

/*
 * Decompress `in` if it is gzip, xz, lzma, bzip2, zstd, lz4 (kernel framing) or lzo. *out is malloc()ed.
 * -ENOTSUP: not a known format. *kind names the format.
 */
int xc_decompress(const void *in, size_t len, size_t limit, void **out, size_t *out_len, const char **kind);

#endif

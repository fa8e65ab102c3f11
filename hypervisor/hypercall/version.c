/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xen_version (docs/abi/version.md). The version is the ABI's, the extra version is ours. */
#include <hypercall.h>
#include <lib.h>
#include <mm.h>
#include <options.h>
#include <uaccess.h>
#include <xen/features.h>
#include <xen/version.h>

#define ABI_MAJOR 4
#define ABI_MINOR 17
#define EXTRA_VERSION "-serai"
/* Fields are fixed-size char arrays, zero padded. */
#define PUT(arg, s)                                                      \
	({                                                               \
		static const char text_[] = s;                           \
		_Static_assert(sizeof(text_) <= sizeof(*(arg)), "fits"); \
		memcpy(*(arg), text_, sizeof(text_));                    \
		0L;                                                      \
	})

static long op_extraversion(void *arg)
{
	return PUT((xen_extraversion_t *)arg, EXTRA_VERSION);
}

static long op_compile_info(void *arg)
{
	struct xen_compile_info *c = arg;

	snprintf(c->compiler, sizeof(c->compiler), "%s", "gcc " __VERSION__);
	snprintf(c->compile_by, sizeof(c->compile_by), "serai");
	snprintf(c->compile_domain, sizeof(c->compile_domain), "localdomain");
	snprintf(c->compile_date, sizeof(c->compile_date), "reproducible build");
	return 0;
}

static long op_capabilities(void *arg)
{
	return PUT((xen_capabilities_info_t *)arg, "xen-3.0-x86_64 ");
}

static long op_changeset(void *arg)
{
	return PUT((xen_changeset_info_t *)arg, "unavailable");
}

static long op_platform_parameters(void *arg)
{
	struct xen_platform_parameters *p = arg;

	p->virt_start = HV_VIRT_START;
	return 0;
}

static long op_get_features(void *arg)
{
	struct xen_feature_info *f = arg;

	if (f->submap_idx)
		return -EINVAL;
	f->submap = BIT(XENFEAT_mmu_pt_update_preserve_ad) | BIT(XENFEAT_highmem_assist) |
		    BIT(XENFEAT_gnttab_map_avail_bits) | BIT(XENFEAT_memory_op_vnode_supported) |
		    BIT(XENFEAT_direct_mapped);
	if (current->domain->vm_assist & BIT(VMASST_TYPE_pae_extended_cr3))
		f->submap |= BIT(XENFEAT_pae_pgdir_above_4gb);
	if (current->domain->is_hardware)
		f->submap |= BIT(XENFEAT_dom0);
	return 0;
}

static long op_guest_handle(void *arg)
{
	memcpy(arg, current->domain->handle, sizeof(xen_domain_handle_t));
	return 0;
}

static const char denied[] = "<denied>";

static long op_commandline(void *arg)
{
	u64 uarg = (u64)arg;

	/* Who may not see it gets a text that says so, with room for a text being all it asked for. */
	if (hc_permit(HC_CONTROL, NULL))
		return copy_to_guest_va(uarg, denied, sizeof(denied));
	return copy_to_guest_va(uarg, boot_cmdline, sizeof(xen_commandline_t));
}

long do_xen_version(u64 cmd, u64 uarg, u64 a3, u64 a4, u64 a5)
{
	static const struct hc_row rows[] = {
		[XENVER_extraversion] = {"extraversion", sizeof(xen_extraversion_t), HC_OUT, HC_ANY, false,
					 op_extraversion},
		[XENVER_compile_info] = {"compile_info", sizeof(struct xen_compile_info), HC_OUT, HC_ANY,
					 false, op_compile_info},
		[XENVER_capabilities] = {"capabilities", 0, HC_RAW, HC_ANY, false, NULL},
		[XENVER_changeset] = {"changeset", sizeof(xen_changeset_info_t), HC_OUT, HC_ANY, false,
				      op_changeset},
		[XENVER_platform_parameters] = {"platform_parameters", sizeof(struct xen_platform_parameters),
						HC_OUT, HC_ANY, false, op_platform_parameters},
		[XENVER_get_features] = {"get_features", sizeof(struct xen_feature_info), HC_INOUT, HC_ANY,
					 false, op_get_features},
		[XENVER_guest_handle] = {"guest_handle", sizeof(xen_domain_handle_t), HC_OUT, HC_ANY, false,
					 op_guest_handle},
		[XENVER_commandline] = {"commandline", sizeof(xen_commandline_t), HC_RAW, HC_ANY, false,
					op_commandline},
	};

	switch (cmd) {
	case XENVER_version:
		/* With a NULL argument too: guests call it for the event delivery on the way out. */
		return ABI_MAJOR << 16 | ABI_MINOR;
	case XENVER_pagesize:
		return uarg ? -EINVAL : (long)PAGE_SIZE;
	case XENVER_capabilities: {
		xen_capabilities_info_t c;

		memset(c, 0, sizeof(c));
		op_capabilities(&c);
		return copy_to_guest_va(uarg, c, sizeof(c));
	}
	case XENVER_build_id:
		return hc_permit(HC_CONTROL, NULL) ? -EPERM : -ENODATA;
	default:
		return hypercall_family(rows, ARRAY_SIZE(rows), (unsigned int)cmd, uarg);
	}
}

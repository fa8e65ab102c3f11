/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vCPU's extended state as memory: buffers sized for all the policy permits before the vCPU runs, so
 * that nothing can fail while it does, and images in and out in the standard format.
 *
 * Import and export work on a vCPU that does not run and whose state is in its buffer.
 */
#include <cpu_policy.h>
#include <fpu.h>
#include <lib.h>
#include <mm.h>
#include <pv.h>
#include <xerrno.h>

#include "fpu_state.h"

#define RECORD_HEAD 16U /* XCR0 and xcr0_accum before the image */

static u64 export_mask(const struct fpu_state *f)
{
	return f->xcr0_accum | XSTATE_LEGACY;
}

void fpu_reset_area(struct fpu_state *f)
{
	memset(f->area, 0, f->area_size);
	f->area->fcw = XSTATE_FCW_INIT;
	f->area->mxcsr = XSTATE_MXCSR_INIT;
	f->area->mxcsr_mask = fpu_caps.layout.mxcsr_mask;
	if (fpu_caps.compacted)
		f->area->hdr.xcomp_bv = export_mask(f) | XSTATE_COMPACTED;
}

static u32 buffer_size(u64 permitted)
{
	u64 mask = permitted | XSTATE_LEGACY;

	return ROUND_UP(max(xstate_size_standard(&fpu_caps.layout, mask),
			    xstate_size_compacted(&fpu_caps.layout, mask)),
			64U);
}

static void attach_area(struct fpu_state *f, struct xstate_area *area, u32 size, u64 permitted)
{
	f->area = area;
	f->area_size = size;
	f->permitted = permitted;
	f->xfd_permitted = permitted & fpu_caps.layout.xfd;
	/* As Xen starts a PV vCPU; it is also what costs a kernel without XSAVE nothing to switch. */
	f->xcr0 = f->xcr0_accum = XSTATE_LEGACY;
	f->xfd = f->xfd_err = 0;
	f->cpu = FPU_NOWHERE;
	f->clean = true;
	fpu_reset_area(f);
}

int fpu_vcpu_init(struct vcpu *v)
{
	u64 permitted = policy_permitted_xcr0(v->domain->policy) & fpu_caps.xcr0;
	u32 size = buffer_size(permitted);
	struct fpu_state *f = hv_new(struct fpu_state);
	struct xstate_area *area = hv_zalloc(size);

	if (!f || !area) {
		hv_free(f);
		hv_free(area);
		return -ENOMEM;
	}
	attach_area(f, area, size, permitted);
	v->fpu = f;
	return 0;
}

void fpu_vcpu_destroy(struct vcpu *v)
{
	if (!v->fpu)
		return;
	hv_free(v->fpu->area);
	hv_free(v->fpu);
	v->fpu = NULL;
}

int fpu_policy_changed(struct domain *d)
{
	u64 permitted = policy_permitted_xcr0(d->policy) & fpu_caps.xcr0;
	u32 size = buffer_size(permitted);
	struct vcpu *v;

	for_each_vcpu(d, v) {
		struct xstate_area *area;

		if (!v->fpu || v->fpu->permitted == permitted)
			continue;
		area = hv_zalloc(size);
		if (!area)
			return -ENOMEM;
		hv_free(v->fpu->area);
		attach_area(v->fpu, area, size, permitted);
	}
	return 0;
}

void fpu_reset(struct vcpu *v)
{
	fpu_reset_area(v->fpu);
	fpu_forget(v);
}

int fpu_set_fip_mode(struct domain *d, unsigned int mode)
{
	struct vcpu *v;

	if (mode != XSTATE_FIP_AUTO && mode != XSTATE_FIP_4 && mode != XSTATE_FIP_8)
		return -EINVAL;
	for_each_vcpu(d, v)
		if (v->fpu)
			v->fpu->fip_mode = (enum xstate_fip_mode)mode;
	return 0;
}

/* ---- legacy image of a vCPU context ---------------------------------------------------------- */

int fpu_import_fxsave(struct vcpu *v, const void *fx512)
{
	struct fpu_state *f = v->fpu;
	const struct xstate_area *src = fx512;

	if (src->mxcsr & ~fpu_caps.layout.mxcsr_mask)
		return -EINVAL;
	fpu_reset_area(f);
	memcpy(f->area, fx512, XSTATE_LEGACY_SIZE);
	f->area->mxcsr_mask = fpu_caps.layout.mxcsr_mask;
	if (f->area->word_size != 4)
		f->area->word_size = 0;
	f->area->hdr.xstate_bv = XSTATE_LEGACY;
	fpu_forget(v);
	return 0;
}

void fpu_export_fxsave(struct vcpu *v, void *fx512)
{
	struct xstate_area copy;

	fpu_flush(v);
	memcpy(&copy, v->fpu->area, sizeof(copy));
	if (fpu_caps.compacted && !(copy.hdr.xstate_bv & XSTATE_SSE))
		copy.mxcsr = XSTATE_MXCSR_INIT;
	copy.mxcsr_mask = fpu_caps.layout.mxcsr_mask;
	xstate_normalise(&fpu_caps.layout, &copy, sizeof(copy), XSTATE_LEGACY);
	memcpy(fx512, &copy, XSTATE_LEGACY_SIZE);
}

/* ---- the extended-state record --------------------------------------------------------------- */

u32 fpu_extstate_size(const struct vcpu *v)
{
	return RECORD_HEAD + xstate_size_standard(&fpu_caps.layout, export_mask(v->fpu));
}

u32 fpu_extstate_size_max(void)
{
	return RECORD_HEAD + xstate_size_standard(&fpu_caps.layout, fpu_caps.xcr0 | XSTATE_LEGACY);
}

int fpu_export_extstate(struct vcpu *v, void *record, u32 size)
{
	struct fpu_state *f = v->fpu;
	u64 mask = export_mask(f), head[2] = {f->xcr0, mask};
	u8 *image = (u8 *)record + RECORD_HEAD;
	u32 room;

	if (size != fpu_extstate_size(v))
		return -EINVAL;
	room = size - RECORD_HEAD;
	fpu_flush(v);
	memcpy(record, head, sizeof(head));
	if (fpu_caps.compacted)
		return xstate_expand(&fpu_caps.layout, f->area, f->area_size, image, room, mask);
	memcpy(image, f->area, room);
	xstate_normalise(&fpu_caps.layout, image, room, mask);
	return 0;
}

static int report_refusal(struct vcpu *v, enum xstate_verdict why, u64 culprit)
{
	printk(XLOG_GUEST "d%uv%u: extended state refused: %s (%#lx)\n", v->domain->id, v->id,
	       xstate_verdict_name(why), (unsigned long)culprit);
	if (why != XSTATE_NOT_PERMITTED)
		return -EINVAL;
	for (; culprit; culprit &= culprit - 1)
		printk(XLOG_GUEST "d%uv%u:  not permitted: %s\n", v->domain->id, v->id,
		       xstate_component_name((unsigned int)__builtin_ctzll(culprit)));
	return -EOPNOTSUPP;
}

/* From here on nothing fails: image was validated and tmp, if needed, is there. */
static void commit_image(struct fpu_state *f, u64 mask, const void *image, u32 size, void *tmp, u32 tmp_size)
{
	if (!fpu_caps.compacted) {
		xstate_complete(&fpu_caps.layout, mask, image, size, f->area, f->area_size);
		xstate_normalise(&fpu_caps.layout, f->area, f->area_size, mask);
		return;
	}
	xstate_complete(&fpu_caps.layout, mask, image, size, tmp, tmp_size);
	if (xstate_compact(&fpu_caps.layout, tmp, tmp_size, f->area, f->area_size, mask))
		BUG();
}

int fpu_import_extstate(struct vcpu *v, const void *record, u32 size)
{
	struct fpu_state *f = v->fpu;
	const u8 *image = (const u8 *)record + RECORD_HEAD;
	enum xstate_verdict why;
	u64 head[2], culprit;
	void *tmp = NULL;
	u32 tmp_size;

	if (size < RECORD_HEAD)
		return -EINVAL;
	memcpy(head, record, sizeof(head));
	if (size == RECORD_HEAD && !head[0]) /* from a host without XSAVE */
		return 0;
	if (!head[0])
		head[0] = XSTATE_X87;
	head[1] |= head[0] | XSTATE_LEGACY;
	why = xstate_validate(&fpu_caps.layout, f->permitted | XSTATE_LEGACY, head[0], head[1], image,
			      size - RECORD_HEAD, &culprit);
	if (why != XSTATE_OK)
		return report_refusal(v, why, culprit);

	tmp_size = xstate_size_standard(&fpu_caps.layout, head[1]);
	if (fpu_caps.compacted && !(tmp = hv_zalloc(tmp_size)))
		return -ENOMEM;
	f->xcr0 = head[0];
	f->xcr0_accum = head[1];
	commit_image(f, head[1], image, size - RECORD_HEAD, tmp, tmp_size);
	hv_free(tmp);
	fpu_forget(v);
	return 0;
}

void fpu_dump(void)
{
	struct list *it;

	printk("FPU by %s\n", fpu_caps.method);
	for (it = domain_list.next; it != &domain_list; it = it->next) {
		struct domain *d = container_of(it, struct domain, list);
		struct vcpu *v;

		for_each_vcpu(d, v)
			if (v->fpu)
				printk("d%uv%u: %lu saves, %lu restores, %lu FNSTENV, XCR0 %#lx\n", d->id,
				       v->id, (unsigned long)v->fpu->saves, (unsigned long)v->fpu->restores,
				       (unsigned long)v->fpu->fnstenvs, (unsigned long)v->fpu->xcr0);
	}
}

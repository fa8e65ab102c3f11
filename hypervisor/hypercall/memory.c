/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memory_op: dispatch and everything that only asks (docs/abi/memory.md). */
#include <grant.h>
#include <hypercall/memory.h>
#include <lib.h>
#include <x86/mm/pvmmu.h>
#include <x86/mm/hvmap.h>

/* An entry of a memory map as guests see it. */
struct __packed e820_entry {
	u64 addr, size;
	u32 type;
};
#define MAP_ENTRIES_MAX 128

struct domain *memory_domain(domid_t id, int *err)
{
	struct domain *d = domain_get_by_any_id(id);

	*err = -ESRCH;
	if (!d)
		return NULL;
	*err = hc_permit(HC_TARGET, d);
	if (!*err && (d->is_system || !d->mm))
		*err = -ESRCH;
	if (!*err)
		return d;
	domain_put(d);
	return NULL;
}

/* current_reservation, maximum_reservation, maximum_gpfn */
static long ask_domain(unsigned int op, u64 arg)
{
	struct xen_memory_domain md;
	struct domain *d;
	int err;
	long rc;

	if (copy_from_guest_va(&md, arg, sizeof(md)))
		return -EFAULT;
	d = memory_domain(md.domid, &err);
	if (!d)
		return err;
	if (op == XENMEM_current_reservation)
		rc = d->mm->tot_pages;
	else if (op == XENMEM_maximum_reservation)
		rc = d->mm->max_pages;
	else
		rc = d->shared_info ? (long)max(d->shared_info->arch.max_pfn, 1UL) - 1 : 0;
	domain_put(d);
	return rc;
}

static long machphys_mfn_list(u64 arg)
{
	struct xen_machphys_mfn_list l;
	u64 last = 0;
	unsigned int i;

	if (copy_from_guest_va(&l, arg, sizeof(l)))
		return -EFAULT;
	for (i = 0; i < m2p_nr_chunks && i < l.max_extents; i++) {
		/* In a hole any frame will do: nobody looks at the contents. */
		if (!mfn_eq(m2p_chunks[i], INVALID_MFN))
			last = m2p_chunks[i].n;
		if (copy_to_guest_h_off(l.extent_start, i, &last, 1))
			return -EFAULT;
	}
	l.nr_extents = i;
	return copy_to_guest_va(arg, &l, sizeof(l));
}

static long machphys_mapping(u64 arg)
{
	struct xen_machphys_mapping m = {
		.v_start = M2P_VIRT_START,
		.v_end = M2P_VIRT_END,
		.max_mfn = max_mfn - 1,
	};

	return copy_to_guest_va(arg, &m, sizeof(m));
}

static long copy_map(struct xen_memory_map *map, u64 arg, const struct mem_region *r, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr && i < map->nr_entries; i++) {
		struct e820_entry e = {r[i].start, r[i].end - r[i].start, r[i].type};

		if (copy_to_guest_va((u64)map->buffer.p + i * sizeof(e), &e, sizeof(e)))
			return -EFAULT;
	}
	map->nr_entries = i;
	return copy_to_guest_va(arg, map, sizeof(*map));
}

static long memory_map(u64 arg)
{
	struct domain *d = current->domain;
	struct xen_memory_map map;

	if (copy_from_guest_va(&map, arg, sizeof(map)))
		return -EFAULT;
	if (!d->mm->memory_map)
		return -ENOSYS;
	return copy_map(&map, arg, d->mm->memory_map, d->mm->memory_map_nr);
}

static long machine_memory_map(u64 arg)
{
	struct xen_memory_map map;
	int rc = hc_permit(HC_HARDWARE, current->domain);

	if (rc)
		return rc;
	if (copy_from_guest_va(&map, arg, sizeof(map)))
		return -EFAULT;
	if (map.nr_entries < host_e820_nr)
		return -EINVAL;
	return copy_map(&map, arg, host_e820, host_e820_nr);
}

static int read_map(const struct xen_memory_map *map, struct mem_region *r)
{
	for (unsigned int i = 0; i < map->nr_entries; i++) {
		struct e820_entry e;

		if (copy_from_guest_va(&e, (u64)map->buffer.p + i * sizeof(e), sizeof(e)))
			return -EFAULT;
		r[i] = (struct mem_region){e.addr, e.addr + e.size, e.type};
	}
	return 0;
}

static long set_memory_map(u64 arg)
{
	struct xen_foreign_memory_map fmap;
	struct mem_region *r, *old = NULL;
	struct domain *d;
	int rc;

	if (copy_from_guest_va(&fmap, arg, sizeof(fmap)))
		return -EFAULT;
	if (fmap.map.nr_entries > MAP_ENTRIES_MAX)
		return -EINVAL;
	d = memory_domain(fmap.domid, &rc);
	if (!d)
		return rc;
	if (d == current->domain) {
		domain_put(d);
		return -EINVAL;
	}
	rc = -ENOMEM;
	r = hv_new_array(struct mem_region, max(fmap.map.nr_entries, 1U));
	if (r)
		rc = read_map(&fmap.map, r);
	if (!rc) {
		/* Its vCPUs read the map without a lock. */
		domain_pause(d);
		old = d->mm->memory_map;
		d->mm->memory_map = r;
		d->mm->memory_map_nr = fmap.map.nr_entries;
		domain_unpause(d);
		r = NULL;
	}
	hv_free(old);
	hv_free(r);
	domain_put(d);
	return rc;
}

/* Only auto-translated guests have a physmap of their own to change. */
static long physmap_refuse(u64 arg, bool remove)
{
	struct xen_remove_from_physmap x;
	struct domain *d;
	struct frame *f;
	domid_t id;
	int err;

	if (copy_from_guest_va(&id, arg, sizeof(id)))
		return -EFAULT;
	d = memory_domain(id, &err);
	if (!d)
		return err;
	err = -EACCES;
	if (remove) {
		err = -EFAULT;
		if (!copy_from_guest_va(&x, arg, sizeof(x))) {
			/* A PV guest's frame is "removed" by its own page tables: nothing to do. */
			f = frame_get_from_mfn(MFN(x.gpfn), d);
			err = f ? 0 : -ENOENT;
			if (f)
				frame_put(f);
		}
	}
	domain_put(d);
	return err;
}

static long reserved_device_memory(u64 arg)
{
	struct xen_reserved_device_memory_map m;

	if (copy_from_guest_va(&m, arg, sizeof(m)))
		return -EFAULT;
	if (m.flags & ~XENMEM_RDM_ALL)
		return -EINVAL;
	/* Without an IOMMU there are none. */
	m.nr_entries = 0;
	return copy_to_guest_va(arg, &m, sizeof(m));
}

/* Frames that one call may name: the list is on the stack. */
#define RESOURCE_FRAMES_MAX 32

static long resource_frames(struct domain *d, struct xen_mem_acquire_resource *r)
{
	u64 mfns[RESOURCE_FRAMES_MAX];

	for (u32 done = 0; done < r->nr_frames;) {
		u32 nr = min(r->nr_frames - done, (u32)RESOURCE_FRAMES_MAX);
		int rc = grant_acquire_resource(d, r->id, r->frame + done, nr, mfns);

		if (rc)
			return rc;
		if (copy_to_guest_h_off(r->frame_list, done, mfns, nr))
			return -EFAULT;
		done += nr;
	}
	return 0;
}

long memory_acquire_resource(u64 arg)
{
	struct xen_mem_acquire_resource r;
	struct domain *d;
	int err;
	long rc;

	if (copy_from_guest_va(&r, arg, sizeof(r)))
		return -EFAULT;
	if (r.pad || r.frame + r.nr_frames < r.frame)
		return -EINVAL;
	if (r.domid == DOMID_SELF)
		return -ESRCH;
	if (r.domid == current->domain->id)
		return -EPERM;
	d = memory_domain(r.domid, &err);
	if (!d)
		return err;
	if (r.type != XENMEM_resource_grant_table) {
		rc = -EOPNOTSUPP;
	} else if (r.frame_list.p) {
		rc = r.nr_frames > 4096 ? -EINVAL : resource_frames(d, &r);
	} else if (r.nr_frames) {
		rc = -EINVAL;
	} else {
		r.nr_frames = d->max_grant_frames;
		rc = copy_to_guest_va(arg, &r, sizeof(r));
	}
	domain_put(d);
	return rc;
}

long memory_claim(u64 arg)
{
	struct xen_memory_reservation r;
	struct domain *d;
	int err;
	long rc;

	if (copy_from_guest_va(&r, arg, sizeof(r)))
		return -EFAULT;
	if (r.extent_start.p || r.extent_order || r.mem_flags)
		return -EINVAL;
	rc = hc_permit(HC_CONTROL, NULL);
	if (rc)
		return rc;
	d = memory_domain(r.domid, &err);
	if (!d)
		return err;
	rc = mm_claim(d, r.nr_extents);
	domain_put(d);
	return rc;
}

static long memory_rare(unsigned int op, u64 arg)
{
	switch (op) {
	case XENMEM_machphys_mfn_list:
		return machphys_mfn_list(arg);
	case XENMEM_machphys_mapping:
		return machphys_mapping(arg);
	case XENMEM_memory_map:
		return memory_map(arg);
	case XENMEM_machine_memory_map:
		return machine_memory_map(arg);
	case XENMEM_set_memory_map:
		return set_memory_map(arg);
	case XENMEM_add_to_physmap:
	case XENMEM_add_to_physmap_batch:
		return physmap_refuse(arg, false);
	case XENMEM_remove_from_physmap:
		return physmap_refuse(arg, true);
	case XENMEM_get_sharing_freed_pages:
	case XENMEM_get_sharing_shared_pages:
		return 0;
	case XENMEM_claim_pages:
		return memory_claim(arg);
	case XENMEM_get_vnumainfo:
		return -EOPNOTSUPP;
	case XENMEM_reserved_device_memory_map:
		return reserved_device_memory(arg);
	case XENMEM_acquire_resource:
		return memory_acquire_resource(arg);
	default:
		return -ENOSYS;
	}
}

long do_memory_op(u64 cmd, u64 arg, u64 a3, u64 a4, u64 a5)
{
	unsigned int op = (unsigned int)(cmd & MEMOP_CMD_MASK);

	(void)a3, (void)a4, (void)a5;
	switch (op) {
	case XENMEM_increase_reservation:
	case XENMEM_decrease_reservation:
	case XENMEM_populate_physmap:
		return memory_reservation(op, cmd >> MEMOP_EXTENT_SHIFT, arg);
	case XENMEM_exchange:
		return memory_exchange(arg);
	case XENMEM_maximum_ram_page:
		return (long)max_mfn - 1;
	case XENMEM_current_reservation:
	case XENMEM_maximum_reservation:
	case XENMEM_maximum_gpfn:
		return ask_domain(op, arg);
	default:
		return memory_rare(op, arg);
	}
}

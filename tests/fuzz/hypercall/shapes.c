/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of the def files as operations, and what their fields are. A structure without a shape is raw bytes. */
#include "shapes.h"
#include <hypercall.h>
#include <lib.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/memory.h>
#include <xen/nmi.h>
#include <xen/physdev.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>
#include <xen/xen.h>

#define OP(family, nr, op, type, dir, priv, again) \
	{#family "_" #op, CALL_##family, nr, HC_SIZEOF(type), NULL},
#define CALL(nr, size)                 \
	{                              \
#nr, nr, 0, size, NULL \
	}
#define ACT(name)                          \
	{                                  \
#name, 0, 0, 0, act_##name \
	}
/* clang-format off */
const struct row rows[] = {
#include <def/console.def>
#include <def/evtchn.def>
#include <def/grant.def>
#include <def/hvm.def>
#include <def/memory.def>
#include <def/mmu.def>
#include <def/mmuext.def>
#include <def/physdev.def>
#include <def/sched.def>
#include <def/vcpu.def>
#include <def/version.def>
	CALL(CALL_SET_GDT, 0),
	CALL(CALL_UPDATE_DESCRIPTOR, 0),
	CALL(CALL_MULTICALL, sizeof(struct multicall_entry)),
	CALL(CALL_UPDATE_VA, 0),
	CALL(CALL_SET_TIMER, 0),
	CALL(CALL_EVTCHNOP_COMPAT, sizeof(struct evtchn_op)),
	CALL(CALL_UPDATE_VA_OTHER, 0),
	CALL(CALL_SCHEDOP_COMPAT, 8),
	CALL(CALL_PHYSDEVOP_COMPAT, sizeof(struct physdev_op)),
	/* The commonest things guests do are several rows, to be chosen more often. */
	ACT(write_grant), ACT(write_grant), ACT(write_grant), ACT(write_grant),
	ACT(write_shared), ACT(write_shared), ACT(write_own),
	ACT(virq), ACT(interrupt), ACT(timers), ACT(kill), ACT(log_dirty), ACT(ranges),
};
/* clang-format on */
#undef OP
const unsigned int nr_rows = ARRAY_SIZE(rows);

#define F(type, member, kind)                                                               \
	{                                                                                   \
		offsetof(struct type, member), sizeof(((struct type *)0)->member), K_##kind \
	}

static const struct shape {
	const char *first, *last; /* rows with this argument: from a name to a name in the order of rows[] */
	struct field fields[FIELDS_MAX];
} shapes[] = {
	{"EVTCHNOP_bind_interdomain",
	 NULL,
	 {F(evtchn_bind_interdomain, remote_dom, DOM), F(evtchn_bind_interdomain, remote_port, PORT)}},
	{"EVTCHNOP_bind_virq", NULL, {F(evtchn_bind_virq, virq, SMALL), F(evtchn_bind_virq, vcpu, VCPU)}},
	{"EVTCHNOP_bind_pirq", NULL, {F(evtchn_bind_pirq, pirq, IRQ), F(evtchn_bind_pirq, flags, SMALL)}},
	{"EVTCHNOP_close", "EVTCHNOP_send", {F(evtchn_close, port, PORT)}},
	{"EVTCHNOP_status", NULL, {F(evtchn_status, dom, DOM), F(evtchn_status, port, PORT)}},
	{"EVTCHNOP_alloc_unbound",
	 NULL,
	 {F(evtchn_alloc_unbound, dom, DOM), F(evtchn_alloc_unbound, remote_dom, DOM)}},
	{"EVTCHNOP_bind_ipi", NULL, {F(evtchn_bind_ipi, vcpu, VCPU)}},
	{"EVTCHNOP_bind_vcpu", NULL, {F(evtchn_bind_vcpu, port, PORT), F(evtchn_bind_vcpu, vcpu, VCPU)}},
	{"EVTCHNOP_unmask", NULL, {F(evtchn_unmask, port, PORT)}},
	{"EVTCHNOP_reset", NULL, {F(evtchn_reset, dom, DOM)}},
	{"EVTCHNOP_init_control",
	 NULL,
	 {F(evtchn_init_control, control_gfn, MFN), F(evtchn_init_control, offset, COUNT),
	  F(evtchn_init_control, vcpu, VCPU)}},
	{"EVTCHNOP_expand_array", NULL, {F(evtchn_expand_array, array_gfn, MFN)}},
	{"EVTCHNOP_set_priority",
	 NULL,
	 {F(evtchn_set_priority, port, PORT), F(evtchn_set_priority, priority, SMALL)}},
	{"GNTTABOP_map_grant_ref",
	 NULL,
	 {F(gnttab_map_grant_ref, host_addr, HOST), F(gnttab_map_grant_ref, flags, SMALL),
	  F(gnttab_map_grant_ref, ref, REF), F(gnttab_map_grant_ref, dom, DOM)}},
	{"GNTTABOP_unmap_grant_ref",
	 NULL,
	 {F(gnttab_unmap_grant_ref, host_addr, HOST), F(gnttab_unmap_grant_ref, dev_bus_addr, MAYBE_MADDR),
	  F(gnttab_unmap_grant_ref, handle, REF)}},
	{"GNTTABOP_setup_table",
	 NULL,
	 {F(gnttab_setup_table, dom, DOM), F(gnttab_setup_table, nr_frames, COUNT),
	  F(gnttab_setup_table, frame_list, PTR)}},
	{"GNTTABOP_transfer",
	 NULL,
	 {F(gnttab_transfer, mfn, MFN), F(gnttab_transfer, domid, DOM), F(gnttab_transfer, ref, REF)}},
	{"GNTTABOP_copy",
	 NULL,
	 {F(gnttab_copy, flags, SMALL), F(gnttab_copy, source.u.gmfn, MFN), F(gnttab_copy, source.domid, DOM),
	  F(gnttab_copy, source.offset, COUNT), F(gnttab_copy, dest.u.gmfn, MFN),
	  F(gnttab_copy, dest.domid, DOM), F(gnttab_copy, dest.offset, COUNT), F(gnttab_copy, len, COUNT)}},
	{"GNTTABOP_query_size", NULL, {F(gnttab_query_size, dom, DOM)}},
	{"GNTTABOP_unmap_and_replace",
	 NULL,
	 {F(gnttab_unmap_and_replace, host_addr, HOST), F(gnttab_unmap_and_replace, new_addr, HOST),
	  F(gnttab_unmap_and_replace, handle, REF)}},
	{"GNTTABOP_set_version", NULL, {F(gnttab_set_version, version, SMALL)}},
	{"GNTTABOP_get_status_frames",
	 NULL,
	 {F(gnttab_get_status_frames, nr_frames, COUNT), F(gnttab_get_status_frames, dom, DOM),
	  F(gnttab_get_status_frames, frame_list, PTR)}},
	{"GNTTABOP_get_version", NULL, {F(gnttab_get_version, dom, DOM)}},
	{"GNTTABOP_swap_grant_ref",
	 NULL,
	 {F(gnttab_swap_grant_ref, ref_a, REF), F(gnttab_swap_grant_ref, ref_b, REF)}},
	{"XENMEM_increase_reservation",
	 "XENMEM_decrease_reservation",
	 {F(xen_memory_reservation, extent_start, PTR), F(xen_memory_reservation, nr_extents, COUNT),
	  F(xen_memory_reservation, extent_order, ORDER), F(xen_memory_reservation, domid, DOM)}},
	{"XENMEM_populate_physmap",
	 NULL,
	 {F(xen_memory_reservation, extent_start, PTR), F(xen_memory_reservation, nr_extents, COUNT),
	  F(xen_memory_reservation, extent_order, ORDER), F(xen_memory_reservation, mem_flags, SMALL),
	  F(xen_memory_reservation, domid, DOM)}},
	{"XENMEM_claim_pages",
	 NULL,
	 {F(xen_memory_reservation, nr_extents, COUNT), F(xen_memory_reservation, domid, DOM)}},
	{"XENMEM_current_reservation", "XENMEM_maximum_reservation", {F(xen_memory_domain, domid, DOM)}},
	{"XENMEM_maximum_gpfn", NULL, {F(xen_memory_domain, domid, DOM)}},
	{"XENMEM_machphys_mfn_list",
	 NULL,
	 {F(xen_machphys_mfn_list, max_extents, COUNT), F(xen_machphys_mfn_list, extent_start, PTR)}},
	{"XENMEM_memory_map",
	 "XENMEM_machine_memory_map",
	 {F(xen_memory_map, nr_entries, COUNT), F(xen_memory_map, buffer, PTR)}},
	{"XENMEM_set_memory_map",
	 NULL,
	 {F(xen_foreign_memory_map, domid, DOM), F(xen_foreign_memory_map, map.nr_entries, COUNT),
	  F(xen_foreign_memory_map, map.buffer, PTR)}},
	{"XENMEM_exchange",
	 NULL,
	 {F(xen_memory_exchange, in.extent_start, PTR), F(xen_memory_exchange, in.nr_extents, COUNT),
	  F(xen_memory_exchange, in.extent_order, ORDER), F(xen_memory_exchange, in.domid, DOM),
	  F(xen_memory_exchange, out.extent_start, PTR), F(xen_memory_exchange, out.nr_extents, COUNT),
	  F(xen_memory_exchange, out.extent_order, ORDER), F(xen_memory_exchange, out.domid, DOM),
	  F(xen_memory_exchange, nr_exchanged, ORDER)}},
	{"XENMEM_remove_from_physmap",
	 NULL,
	 {F(xen_remove_from_physmap, domid, DOM), F(xen_remove_from_physmap, gpfn, MFN)}},
	{"XENMEM_acquire_resource",
	 NULL,
	 {F(xen_mem_acquire_resource, domid, DOM), F(xen_mem_acquire_resource, type, ORDER),
	  F(xen_mem_acquire_resource, id, ORDER), F(xen_mem_acquire_resource, nr_frames, COUNT),
	  F(xen_mem_acquire_resource, frame, COUNT), F(xen_mem_acquire_resource, frame_list, PTR)}},
	{"MMU_NORMAL_PT_UPDATE",
	 "MMU_PT_UPDATE_NO_TRANSLATE",
	 {F(mmu_update, ptr, MADDR), F(mmu_update, val, PTE)}},
	{"MMUEXT_PIN_L1_TABLE",
	 "MMUEXT_UNMARK_SUPER",
	 {F(mmuext_op, arg1.mfn, MFN), F(mmuext_op, arg2.src_mfn, MFN)}},
	{"HVMOP_set_param",
	 "HVMOP_get_param",
	 {F(xen_hvm_param, domid, DOM), F(xen_hvm_param, index, SMALL)}},
	{"HVMOP_get_mem_type", NULL, {F(xen_hvm_get_mem_type, domid, DOM)}},
	{"PHYSDEVOP_irq_status_query", NULL, {F(physdev_irq_status_query, irq, IRQ)}},
	{"PHYSDEVOP_set_iobitmap",
	 NULL,
	 {F(physdev_set_iobitmap, bitmap, PTR), F(physdev_set_iobitmap, nr_ports, COUNT)}},
	{"PHYSDEVOP_eoi", NULL, {F(physdev_eoi, irq, IRQ)}},
	{"PHYSDEVOP_map_pirq",
	 NULL,
	 {F(physdev_map_pirq, domid, DOM), F(physdev_map_pirq, type, ORDER), F(physdev_map_pirq, index, IRQ),
	  F(physdev_map_pirq, pirq, IRQ), F(physdev_map_pirq, bus, ORDER), F(physdev_map_pirq, devfn, SMALL),
	  F(physdev_map_pirq, entry_nr, ORDER), F(physdev_map_pirq, table_base, ORDER)}},
	{"PHYSDEVOP_unmap_pirq", NULL, {F(physdev_unmap_pirq, domid, DOM), F(physdev_unmap_pirq, pirq, IRQ)}},
	{"PHYSDEVOP_setup_gsi",
	 NULL,
	 {F(physdev_setup_gsi, gsi, IRQ), F(physdev_setup_gsi, triggering, ORDER),
	  F(physdev_setup_gsi, polarity, ORDER)}},
	{"PHYSDEVOP_pirq_eoi_gmfn_v2", NULL, {F(physdev_pirq_eoi_gmfn, gmfn, MFN)}},
	{"CALL_PHYSDEVOP_COMPAT",
	 NULL,
	 {F(physdev_op, cmd, ORDER), {offsetof(struct physdev_op, u), 4, K_IRQ}}},
	{"SCHEDOP_shutdown", NULL, {F(sched_shutdown, reason, SMALL)}},
	{"SCHEDOP_poll",
	 NULL,
	 {F(sched_poll, ports, PTR), F(sched_poll, nr_ports, COUNT), F(sched_poll, timeout, SMALL)}},
	{"SCHEDOP_remote_shutdown",
	 NULL,
	 {F(sched_remote_shutdown, domain_id, DOM), F(sched_remote_shutdown, reason, SMALL)}},
	{"SCHEDOP_shutdown_code", NULL, {F(sched_shutdown, reason, SMALL)}},
	{"SCHEDOP_watchdog", NULL, {F(sched_watchdog, id, ORDER), F(sched_watchdog, timeout, SMALL)}},
	{"SCHEDOP_pin_override", NULL, {F(sched_pin_override, pcpu, ORDER)}},
	{"VCPUOP_initialise",
	 NULL,
	 {F(vcpu_guest_context, ctrlreg[3], MADDR), F(vcpu_guest_context, gdt_ents, COUNT),
	  F(vcpu_guest_context, gdt_frames[0], MFN), F(vcpu_guest_context, flags, SMALL),
	  F(vcpu_guest_context, fpu_ctxt.x[0], SMALL), F(vcpu_guest_context, ctrlreg[1], MAYBE_MADDR),
	  F(vcpu_guest_context, event_callback_eip, PTR), F(vcpu_guest_context, debugreg[7], COUNT),
	  F(vcpu_guest_context, ldt_ents, COUNT)}},
	{"VCPUOP_register_runstate_memory_area", NULL, {F(vcpu_register_runstate_memory_area, addr.p, PTR)}},
	{"VCPUOP_register_vcpu_info",
	 NULL,
	 {F(vcpu_register_vcpu_info, mfn, MFN), F(vcpu_register_vcpu_info, offset, COUNT)}},
	{"VCPUOP_register_vcpu_time_memory_area", NULL, {F(vcpu_register_time_memory_area, addr.p, PTR)}},
	{"CALL_MULTICALL",
	 NULL,
	 {F(multicall_entry, op, COUNT), F(multicall_entry, args[0], COUNT), F(multicall_entry, args[1], PTR),
	  F(multicall_entry, args[2], COUNT), F(multicall_entry, args[3], COUNT)}},
	{"CALL_EVTCHNOP_COMPAT",
	 NULL,
	 {F(evtchn_op, cmd, SMALL),
	  {offsetof(struct evtchn_op, u), 4, K_PORT},
	  {offsetof(struct evtchn_op, u) + 4, 4, K_PORT}}},
};

static const struct shape *shape_of(const struct row *row)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(shapes); i++) {
		const struct shape *s = &shapes[i];
		const struct row *r = rows;

		while (r < &rows[nr_rows] && strcmp(r->name, s->first))
			r++;
		if (r == &rows[nr_rows])
			panic("no row %s\n", s->first);
		for (; r < &rows[nr_rows]; r++) {
			if (r == row)
				return s;
			if (!s->last || !strcmp(r->name, s->last))
				break;
		}
	}
	return NULL;
}

void shape_fill(struct input *in, const struct row *row, u8 *to)
{
	static const struct shape *known[256];
	static bool looked[256];
	unsigned int i = (unsigned int)(row - rows);
	const struct field *f;

	_Static_assert(ARRAY_SIZE(rows) < ARRAY_SIZE(known), "a row is a byte of input");
	if (!looked[i])
		known[i] = shape_of(row);
	looked[i] = true;
	memset(to, 0, row->size);
	if (!known[i]) {
		take_bytes(in, to, min(row->size, (u16)32));
		return;
	}
	for (f = known[i]->fields; f < &known[i]->fields[FIELDS_MAX] && f->kind; f++) {
		u64 v = value(in, f->kind);

		memcpy(to + f->offset, &v, f->size);
	}
	if (row->call == CALL_MMU)
		*to = (u8)((*to & ~3) | row->cmd);
	if (row->call == CALL_MMUEXT)
		*(u32 *)to = row->cmd;
}

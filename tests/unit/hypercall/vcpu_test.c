/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a vCPU's info may move to. Built as the image is, without builtins, so that the sanitizer sees every copy. */
#include <event.h>
#include <hypercall.h>
#include <hypercall/vcpu_timer.h>
#include <lib.h>
#include <mm.h>
#include <pv.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uaccess.h>
#include <xen/vcpu.h>
#include <cmocka.h>

struct cpu_info fuzz_cpu;
u8 *direct_map;
struct frame *frame_table;
u64 max_mfn = 2;
u32 cpu_apic_id[NR_CPUS], cpu_acpi_id[NR_CPUS];
struct cpu_time cpu_times[NR_CPUS];
static unsigned int held, notified;

/* The rest of the hypervisor: what this call needs; nothing else may be called. */
int copy_from_guest_va(void *dst, u64 src, size_t n)
{
	memcpy(dst, (const void *)src, n);
	return 0;
}
bool frame_get_and_type(struct frame *f, const struct domain *owner, enum frame_type t)
{
	(void)f, (void)owner;
	held += t == FT_WRITABLE;
	return true;
}
void frame_put_and_type(struct frame *f)
{
	(void)f;
	held--;
}
void vcpu_mark_events_pending(struct vcpu *v)
{
	(void)v;
	notified++;
}
void time_write_vcpu(struct vcpu *v)
{
	(void)v;
}
void time_update_vcpu_area(struct vcpu *v)
{
	(void)v;
}
#define UNUSED_FUNCTION(type, name, ...) \
	type name(__VA_ARGS__)           \
	{                                \
		abort();                 \
	}
UNUSED_FUNCTION(int, copy_to_guest_va, u64 dst, const void *src, size_t n)
UNUSED_FUNCTION(size_t, raw_copy_to_guest, u64 dst, const void *src, size_t n)
UNUSED_FUNCTION(void, domain_shutdown, struct domain *d, u32 reason)
UNUSED_FUNCTION(void *, hv_zalloc, size_t size)
UNUSED_FUNCTION(void, hv_free, void *p)
UNUSED_FUNCTION(int, pv_set_context, struct vcpu *v, const struct vcpu_guest_context *c)
UNUSED_FUNCTION(void, sched_sleep, struct vcpu *v)
UNUSED_FUNCTION(void, sched_wake, struct vcpu *v)
UNUSED_FUNCTION(void, spin_lock_wait, spinlock_t *l, u16 ticket)
UNUSED_FUNCTION(void, vcpu_kick, struct vcpu *v)
UNUSED_FUNCTION(int, vcpu_periodic_set, struct vcpu *v, u64 period_ns)
UNUSED_FUNCTION(void, vcpu_periodic_stop, struct vcpu *v)
UNUSED_FUNCTION(void, vcpu_runstate_get, struct vcpu *v, struct vcpu_runstate_info *out)
UNUSED_FUNCTION(void, vcpu_runstate_update_guest, struct vcpu *v)
UNUSED_FUNCTION(void, vcpu_singleshot_set, struct vcpu *v, stime_t expires)
UNUSED_FUNCTION(void, vcpu_singleshot_stop, struct vcpu *v)

/* Frame 0 is nobody's, frame 1 the shared_info. The new place overlaps the old one, which is the guest's to choose. */
static void info_moves_within_shared_info(void **state)
{
	struct vcpu_register_vcpu_info arg = {.mfn = 1, .offset = 24};
	struct vcpu v = {.pv.kernel_mode = 1}, *vcpus[1] = {&v};
	struct domain d = {.vcpus = vcpus, .max_vcpus = 1};
	struct vcpu_info before, *info;

	(void)state;
	direct_map = aligned_alloc(PAGE_SIZE, max_mfn * PAGE_SIZE);
	frame_table = calloc(max_mfn, sizeof(*frame_table));
	for (size_t i = 0; i < max_mfn * PAGE_SIZE; i++)
		direct_map[i] = (u8)i;
	v.domain = &d;
	v.vcpu_info_mfn = INVALID_MFN;
	v.vcpu_info = (struct vcpu_info *)(direct_map + PAGE_SIZE);
	before = *v.vcpu_info;
	current = &v;
	assert_int_equal(do_vcpu_op(VCPUOP_register_vcpu_info, 0, (u64)&arg, 0, 0), 0);
	info = v.vcpu_info;
	assert_ptr_equal(info, direct_map + PAGE_SIZE + 24);
	assert_int_equal(info->evtchn_pending_sel, ~0UL);
	info->evtchn_pending_sel = before.evtchn_pending_sel;
	assert_memory_equal(info, &before, sizeof(before));
	assert_int_equal(notified, 1);
	assert_int_equal(held, 1);
	/* Once is enough; and the end gives the frame back. */
	assert_int_equal(do_vcpu_op(VCPUOP_register_vcpu_info, 0, (u64)&arg, 0, 0), -EINVAL);
	vcpu_info_unmap(&v);
	assert_int_equal(held, 0);
	free(direct_map);
	free(frame_table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(info_moves_within_shared_info),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

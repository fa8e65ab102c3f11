/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kernel's part of being saved (docs/abi/suspend.md), around the shutdown call itself, which is the caller's: what
 * to check there differs. One vCPU, event channels forgotten, no devices but console and store.
 */
#include <xen/sched.h>

#include "guest.h"

#define NODE "control/shutdown"

static unsigned long list[512] __page_aligned, list_list[512] __page_aligned;

/* Where the toolstack finds all frames. */
void suspend_offer_frames(void)
{
	unsigned long pages = (start_info->nr_pages + 511) / 512;

	for (unsigned long i = 0; i < pages; i++)
		list[i] = virt_to_mfn((char *)start_info->mfn_list + i * PAGE_SIZE);
	list_list[0] = virt_to_mfn(list);
	shared_info->arch.max_pfn = start_info->nr_pages;
	shared_info->arch.pfn_to_mfn_frame_list_list = virt_to_mfn(list_list);
}

/* Asked through xenstore; the answer is an empty node. */
void suspend_wait_for_request(void)
{
	char buf[32];

	while (!store_read(NODE, buf, sizeof(buf)) || strcmp(buf, "suspend"))
		store_pause();
	store_write(NODE, "");
}

bool suspend_prepare(void)
{
	if (update_va((unsigned long)shared_info, 0, UVMF_INVLPG))
		return false;
	start_info->store_mfn = machine_to_phys_mapping[start_info->store_mfn];
	start_info->console.domU.mfn = (uint32_t)machine_to_phys_mapping[start_info->console.domU.mfn];
	return true;
}

bool suspend_over(long ret)
{
	if (ret == 1) { /* the numbers are as we left them */
		start_info->store_mfn = pfn_to_mfn(start_info->store_mfn);
		start_info->console.domU.mfn = (uint32_t)pfn_to_mfn(start_info->console.domU.mfn);
	}
	if (update_va((unsigned long)shared_info,
		      start_info->shared_info | PTE_P | PTE_W | PTE_A | PTE_D | PTE_U, UVMF_INVLPG))
		return false;
	if (ret == 0)
		for (unsigned int i = 0; i < 64; i++)
			shared_info->evtchn_mask[i] = ~0UL;
	upcalls_off();
	return true;
}

long suspend_plainly(void)
{
	static struct sched_shutdown s = {.reason = SHUTDOWN_suspend};
	long ret;

	suspend_wait_for_request();
	if (!suspend_prepare())
		return -1;
	ret = hypercall3(__HYPERVISOR_sched_op, SCHEDOP_shutdown, (unsigned long)&s, virt_to_mfn(start_info));
	return suspend_over(ret) ? ret : -1;
}

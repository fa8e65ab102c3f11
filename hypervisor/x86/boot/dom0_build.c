/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dom0 from the boot modules: module 1 is its kernel, module 2 its initrd. (docs/abi/start-of-day.md) */
#include "boot.h"
#include "dom0.h"
#include <console.h>
#include <lib.h>
#include <pv.h>
#include <sched.h>
#include <time.h>
#include <xen/sched.h>
#include <xerrno.h>

static void alloc_memory(struct domain *d, struct dom0_memory *m, u64 nr)
{
	unsigned int order = 18; /* 1 GiB, then smaller as memory gets scarce */

	m->p2m = hv_zalloc(nr * sizeof(u64));
	if (!m->p2m)
		panic("dom0: no memory for a table of %lu pages: lower dom0_mem=", nr);
	while (m->nr_pages < nr) {
		struct frame *f;
		mfn_t first;

		while ((1UL << order) > nr - m->nr_pages)
			order--;
		f = alloc_frames(d, order, 0);
		if (!f) {
			if (!order--)
				panic("dom0: only %lu of %lu MiB could be had: lower dom0_mem=",
				      m->nr_pages >> 8, nr >> 8);
			continue;
		}
		first = frame_to_mfn(f);
		for (u64 i = 0; i < (1UL << order); i++) {
			m->p2m[m->nr_pages] = first.n + i;
			m2p_table[first.n + i] = m->nr_pages++;
		}
	}
}

static void load_kernel(const struct dom0_memory *m, const struct kernel_info *k)
{
	for (unsigned int i = 0; i < k->nr_segments; i++) {
		u64 phys = k->seg[i].phys, left = k->seg[i].file_size;
		const u8 *src = k->seg[i].data;

		/* Fresh frames are zero: what lies beyond file_size needs nothing. */
		while (left) {
			u64 off = phys & ~PAGE_MASK, n = min(left, PAGE_SIZE - off);

			memcpy((u8 *)dom0_page(m, phys >> PAGE_SHIFT) + off, src, n);
			phys += n;
			src += n;
			left -= n;
		}
	}
}

static void load_initrd(const struct dom0_memory *m, const struct dom0_layout *l, paddr_t from)
{
	for (u64 done = 0; done < l->initrd_size; done += PAGE_SIZE)
		memcpy(dom0_page(m, l->initrd + (done >> PAGE_SHIFT)), paddr_to_virt(from + done),
		       min(PAGE_SIZE, l->initrd_size - done));
}

static void write_start_info(struct domain *d, const struct dom0_memory *m, const struct kernel_info *k,
			     const struct dom0_layout *l, const char *cmdline)
{
	struct start_info *si = dom0_page(m, l->start_info);
	struct dom0_vga_console_info *vga = (void *)(si + 1);

	snprintf(si->magic, sizeof(si->magic), "xen-3.0-x86_64p");
	si->nr_pages = m->nr_pages;
	si->shared_info = mfn_to_paddr(d->shared_info_mfn);
	si->flags = SIF_PRIVILEGED | SIF_INITDOMAIN;
	si->pt_base = l->v_base + (l->tables << PAGE_SHIFT);
	si->nr_pt_frames = l->nr_tables;
	si->mfn_list = k->has_init_p2m ? k->init_p2m : l->v_base + (l->p2m << PAGE_SHIFT);
	if (k->has_init_p2m) {
		si->first_p2m_pfn = l->p2m_tables;
		si->nr_p2m_frames = l->p2m_end - l->p2m_tables;
	}
	if (l->initrd_size) {
		si->flags |= SIF_MOD_START_PFN;
		si->mod_start = l->initrd;
		si->mod_len = l->initrd_size;
	}
	snprintf((char *)si->cmd_line, sizeof(si->cmd_line), "%s", cmdline);
	if (!boot_info.efi_systab) {
		vga->video_type = XEN_VGATYPE_TEXT_MODE_3;
		vga->u.text_mode_3.rows = 25;
		vga->u.text_mode_3.columns = 80;
		vga->u.text_mode_3.font_height = 16;
		si->console.dom0.info_off = sizeof(*si);
		si->console.dom0.info_size = sizeof(*vga);
	}
}

static void write_p2m(const struct dom0_memory *m, const struct dom0_layout *l)
{
	for (u64 i = 0; i < m->nr_pages; i++)
		((u64 *)dom0_page(m, l->p2m + i / 512))[i % 512] = m->p2m[i];
}

static void start_vcpu(struct domain *d, const struct kernel_info *k, const struct dom0_layout *l, mfn_t root)
{
	struct vcpu *v = d->vcpus[0];
	int rc;

	/* Pinned, as the ABI says; the guest unpins it once it has tables of its own. */
	do {
		rc = mm_pin_table(d, root.n, FT_L4);
		if (!rc)
			rc = pv_set_guest_tables(v, root, INVALID_MFN);
	} while (rc == -ERESTART || rc == -EINTR);
	if (rc)
		panic("dom0: its first page tables were refused (%d)", rc);
	v->regs.rip = k->entry;
	v->regs.cs = SEL_GUEST_CS64;
	v->regs.ss = SEL_GUEST_DS;
	v->regs.rflags = X86_EFLAGS_IF | X86_EFLAGS_MBS;
	v->regs.rsp = l->v_base + ((l->stack + 1) << PAGE_SHIFT);
	v->regs.rsi = l->v_base + (l->start_info << PAGE_SHIFT);
	v->pv.kernel_ss = SEL_GUEST_DS;
	v->initialised = true;
	clear_bit(VPF_DOWN, &v->pause_flags);
}

static struct domain *create_dom0(u64 max_pages)
{
	struct domain_config cfg = {
		.max_vcpus = dom0_vcpu_count(),
		.max_evtchn_port = UINT32_MAX,
		.max_grant_frames = -1,
		.max_maptrack_frames = -1,
		.grant_opts = 2,
		.privileged = true,
	};
	int err;
	struct domain *d = domain_create(0, &cfg, &err);

	if (!d)
		panic("dom0: cannot be created (%d)", err);
	dom0 = d;
	d->mm->max_pages = (u32)max_pages;
	d->vm_assist = BIT(VMASST_TYPE_pae_extended_cr3); /* a feature kernels look for, whatever they are */
	for (unsigned int i = 0; i < d->max_vcpus; i++) {
		struct vcpu *v = vcpu_create(d, i);

		if (!v)
			panic("dom0: no memory for vCPU %u", i);
		if (dom0_pin_vcpus) {
			cpumask_t one;

			cpumask_clear(&one);
			cpumask_set(i % cpumask_weight(&cpu_online_map), &one);
			vcpu_set_hard_affinity(v, &one);
		}
	}
	dom0_permissions(d);
	return d;
}

static void report(const struct kernel_info *k, const struct dom0_layout *l, const struct dom0_memory *m)
{
	printk("dom0: %s kernel %#lx-%#lx, entry %#lx, %lu MiB, %u vCPUs\n", k->guest_os, k->phys_start,
	       k->phys_end, k->entry, m->nr_pages >> 8, dom0->max_vcpus);
	printk("dom0: start_info pfn %#lx, tables %#lx+%lu, initrd %#lx+%lu, p2m %#lx+%lu\n", l->start_info,
	       l->tables, l->nr_tables, l->initrd, l->initrd_pages, l->p2m, l->p2m_pages);
}

/* A kernel's command line is what follows the module's file name; GRUB leaves that out, QEMU does not. */
static const char *kernel_cmdline(const char *s)
{
	const char *blank = strchr(s, ' ');

	if (s[0] == '/' || !strncmp(s, "placeholder", 11))
		return blank ? blank + 1 : "";
	return s;
}

void build_dom0(void)
{
	const struct boot_module *km = &boot_info.modules[0], *im = &boot_info.modules[1];
	u64 initrd_size = boot_info.nr_modules > 1 ? im->end - im->start : 0;
	struct kernel_image image;
	struct kernel_info k;
	struct dom0_memory m = {0, NULL};
	struct dom0_layout l;
	u64 nr, max_pages, released;
	struct domain *d;
	const char *why;

	if (!boot_info.nr_modules)
		panic("No dom0 kernel: give it as the first module (GRUB: module2 /boot/vmlinuz ...)");
	kernel_unpack(paddr_to_virt(km->start), km->end - km->start, &image);
	why = kernel_parse(image.elf, image.size, &k);
	if (why)
		panic("dom0 kernel cannot be used: %s", why);
	if (!k.mod_start_pfn && initrd_size)
		panic("dom0 kernel cannot be used: it wants its initrd mapped (no MOD_START_PFN note)");

	/* The modules' own memory comes back below; count it in. */
	released = (image.allocated ? image.size : 0) >> PAGE_SHIFT;
	nr = dom0_page_count(mm_free_frames() + released, &max_pages);
	nr = min(nr, mm_free_frames() - min(mm_free_frames() / 64, 1024UL));
	dom0_plan(&k, nr, initrd_size, &l);
	if (l.p2m_end + 1024 > nr)
		panic("dom0: %lu MiB is too little, its start alone needs %lu: raise dom0_mem= or give the "
		      "machine more memory",
		      nr >> 8, (l.p2m_end + 1024) >> 8);
	d = create_dom0(max_pages);
	alloc_memory(d, &m, nr);
	load_kernel(&m, &k);
	if (k.hypercall_page)
		pv_hypercall_page_fill(dom0_page(&m, (k.hypercall_page - k.virt_base) >> PAGE_SHIFT));
	load_initrd(&m, &l, im->start);
	write_p2m(&m, &l);
	write_start_info(d, &m, &k, &l, kernel_cmdline(km->cmdline));
	report(&k, &l, &m);
	start_vcpu(d, &k, &l, dom0_page_tables(&m, &k, &l));
	hv_free(m.p2m);
	if (image.allocated)
		hv_free((void *)image.elf);
	for (unsigned int i = 0; i < min(boot_info.nr_modules, 2U); i++)
		boot_release(boot_info.modules[i].start, boot_info.modules[i].end);
	time_update_wallclock(d);
	d->creation_finished = true;
	d->is_paused_by_controller = false;
	d->controller_pause_count = 0;
	sched_wake(d->vcpus[0]);
}

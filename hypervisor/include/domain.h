/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Domains and vCPUs: what all rooms share. Each room keeps its own state behind its own pointer or
 * embedded struct, declared in its header; nobody reaches into another room's fields.
 */
#ifndef SERAI_DOMAIN_H
#define SERAI_DOMAIN_H

#include <cpumask.h>
#include <list.h>
#include <percpu.h>
#include <regs.h>
#include <spinlock.h>
#include <types.h>
#include <xen/xen.h>
#include <xen/vcpu.h>

struct evtchn_table;
struct evtchn_fifo_vcpu;
struct grant_table;
struct sched_vcpu;
struct sched_domain;
struct vcpu_timers;
struct cpu_policy;
struct fpu_state;
struct domain_mm;
struct domain_irq;
struct domain_time;

/* What the guest registered for one exception vector (struct trap_info, decoded). */
struct pv_trap {
	u64 address;
	u16 cs;
	u8 dpl; /* lowest privilege that may raise it by INT n */
	u8 mask_events;
};

/* PV state of a vCPU beyond its register frame. */
struct pv_vcpu {
	/* entry.S knows the offsets of these */
	u64 kernel_sp;
	u64 kernel_ss;
	u64 syscall_entry, event_entry, failsafe_entry, syscall32_entry, sysenter_entry;
	u8 kernel_mode;  /* virtual ring: 1 = guest kernel, 0 = guest user */
	u8 syscall_mask; /* the callbacks' "mask events" flags */
	u8 event_mask, failsafe_mask, syscall32_mask, sysenter_mask;

	struct pv_trap traps[256];
	bool failsafe_due;         /* these did not load: the failsafe callback is to run */
	u16 failsafe_selectors[4]; /* ds, es, fs, gs */
	u8 iopl;                   /* virtual IOPL, 0..3 */
	bool iobmp_set;
	u64 iobmp, iobmp_limit;
	u64 fs_base, gs_base_kernel, gs_base_user;
	u16 ds, es, fs, gs;
	u64 ctrlreg[8]; /* the guest's view of CR0..CR4 */
	u64 dr[8];
	u64 gdt_frames[16];
	u16 gdt_ents;
	u64 ldt_base;
	u32 ldt_ents;
	u32 vm_flags;
	u32 tsc_aux; /* what RDTSCP and RDPID give */
};

enum vcpu_pause_bit {
	VPF_BLOCKED, /* SCHEDOP_block / poll */
	VPF_DOWN,    /* not up (VCPUOP_down, or never initialised) */
	VPF_IN_RESET,
};

struct vcpu {
	/* --- entry code reaches these by fixed offset (asm-offsets) --- */
	/* A fault of the IRET that enters the guest pushes a frame right below regs.rip; see iret_fixup in
	 * entry.S. The size also makes the end of regs 16-byte aligned, as the CPU aligns RSP0. */
	u64 iret_slack[7];
	struct regs regs;
	u64 stack_top;               /* the physical CPU's main stack; directly behind regs */
	struct vcpu_info *vcpu_info; /* shared with the guest; never NULL */
	u64 cr3_kernel, cr3_user;    /* what MOV CR3 loads for the virtual kernel and user mode */
	u64 async_pending; /* not zero: an NMI or another rare thing to look at before entering the guest */
	struct domain *domain;
	u64 cr3_full; /* with Meltdown isolation: what the guest left with, to come back to; 0: none */
	struct regs *self_regs;  /* &regs */
	struct regs *entry_regs; /* where entry.S finds it while the guest's root is loaded */
	struct pv_vcpu pv;

	unsigned int id;           /* within the domain */
	unsigned int cpu;          /* where it runs or last ran */
	int loaded_on;             /* CPU whose registers hold its state, -1 = none */
	bool running;              /* between context switch in and out */
	bool initialised;          /* has a context */
	unsigned long pause_flags; /* VPF_*; runnable when 0 and pause counts are 0 */
	int pause_count;
	bool is_idle;
	bool areas_pending; /* runstate or time area not up to date: vcpu_update_areas() (sched.h) */

	/* NMI and other asynchronous exceptions waiting */
	bool nmi_pending;

	/* guest-registered areas */
	mfn_t vcpu_info_mfn;
	struct vcpu_info *vcpu_info_home; /* where it was before the guest moved it */
	u64 runstate_guest;               /* guest virtual address, 0 = none */
	struct vcpu_runstate_info runstate;
	u64 time_area_guest;
	u32 time_generation; /* of the cpu_time last written to vcpu_info; 0: write anew (time.h) */

	/* rooms */
	struct sched_vcpu *sched;   /* core/sched */
	struct vcpu_timers *timers; /* singleshot, periodic, poll */
	struct fpu_state *fpu;      /* x86/cpu/fpu.c */
	struct evtchn_fifo_vcpu *evtchn_fifo;
	u32 poll_evtchn; /* SCHEDOP_poll: 0 none, >0 one port, ~0 several */
	u32 virq_to_evtchn[NR_VIRQS];
	spinlock_t virq_lock;
	void *vpmu;

	/* mm */
	mfn_t guest_table, guest_table_user; /* validated L4 tables, referenced; INVALID_MFN = none */
	u32 dirty_cpu;                       /* CPU whose TLB may hold our translations, or ~0 */
};

enum domain_dying {
	DOMDYING_alive,
	DOMDYING_dying, /* being torn down; get_domain still succeeds for cleanup */
	DOMDYING_dead,  /* everything relinquished, waiting for the last reference */
};

struct domain {
	domid_t id;
	unsigned int max_vcpus;
	struct vcpu **vcpus; /* max_vcpus pointers, NULL where not yet created */
	struct shared_info *shared_info;
	mfn_t shared_info_mfn;

	struct list list; /* all domains, by id, under domlist_lock */
	int refcount;
	spinlock_t lock; /* RANK_DOMAIN */

	bool is_control;  /* may use domctl and sysctl (dom0) */
	bool is_hardware; /* owns devices (dom0) */
	bool msr_relaxed; /* machine registers that are not the guest's read as 0 instead of faulting */
	bool is_idle, is_system; /* idle; DOMID_IO, DOMID_XEN, DOMID_COW */
	bool isolated;           /* runs on roots without the hypervisor (xpti.h) */
	bool is_shut_down, is_shutting_down, is_paused_by_controller;
	bool creation_finished;
	u32 shutdown_code;
	u32 suspend_evtchn; /* port to raise when it shuts down to suspend (XEN_DOMCTL_subscribe); 0 = none */
	int pause_count;    /* by hypervisor operations */
	int controller_pause_count; /* by XEN_DOMCTL_pausedomain */
	enum domain_dying dying;
	struct domain *target; /* for stub domains: whom it may control */
	u32 ssidref;
	u8 handle[16];
	u64 vm_assist;
	bool watchdog_inuse[2];
	unsigned int console_mode;

	u32 max_evtchn_port, max_grant_frames, max_maptrack_frames, max_grant_version;

	/* rooms */
	struct domain_mm *mm;
	struct evtchn_table *evtchn;
	struct grant_table *grant;
	struct sched_domain *sched;
	struct cpu_policy *policy;
	struct domain_irq *irq;
	struct domain_time *time;

	/* physical CPUs whose TLB may hold this domain's translations */
	cpumask_t dirty_cpus;
	struct iorange_list *iomem, *ioport, *irq_caps; /* permission lists: rangeset.h */
};

extern spinlock_t domlist_lock;
extern struct list domain_list;
extern struct domain *dom0, *dom_io, *dom_xen, *idle_domain;

/* Reference-counted look-up. DOMID_SELF resolves to the caller's own. NULL: no such domain. */
struct domain *domain_get_by_id(domid_t id);
struct domain *domain_get_by_any_id(domid_t id); /* also DOMID_SELF, DOMID_IO, DOMID_XEN */
bool domain_get(struct domain *d);
void domain_put(struct domain *d);

#define for_each_vcpu(d, v)                                     \
	for (unsigned int vi_ = 0; vi_ < (d)->max_vcpus; vi_++) \
		if (((v) = (d)->vcpus[vi_]) != NULL)

/* Life cycle; x86/pv and hypercall/domctl call these (core/domain). */
struct domain_config {
	u32 ssidref, flags, max_vcpus, max_evtchn_port, grant_opts;
	int max_grant_frames, max_maptrack_frames;
	u8 handle[16];
	bool privileged;
};
struct domain *domain_create_system(domid_t id); /* idle, DOMID_IO, DOMID_XEN; at boot, panics */
struct domain *domain_create(domid_t id, const struct domain_config *cfg, int *err);
struct vcpu *vcpu_create(struct domain *d, unsigned int id);
int domain_kill(struct domain *d); /* preemptible: -ERESTART until done */
void domain_shutdown(struct domain *d, u32 reason);
void domain_resume(struct domain *d);
/* The guest broke its own state: it is shut down as crashed, its registers logged. Nobody else is hurt. */
void domain_crash(struct domain *d, const char *fmt, ...) __printf(2, 3);

/* Nested. After return no vCPU of d runs, and its state is in memory, not in a CPU. */
void domain_pause(struct domain *d);
void domain_unpause(struct domain *d);
void vcpu_pause(struct vcpu *v);
void vcpu_unpause(struct vcpu *v);
/* Takes back the frame of VCPUOP_register_vcpu_info (hypercall/vcpu.c): before the domain's memory goes. */
void vcpu_info_unmap(struct vcpu *v);
/* Makes sure v's registers are in memory (it must not be running). */
void vcpu_sync_state(struct vcpu *v);

static inline bool vcpu_runnable(const struct vcpu *v)
{
	return !(READ_ONCE(v->pause_flags) | (unsigned long)READ_ONCE(v->pause_count) |
		 (unsigned long)READ_ONCE(v->domain->pause_count) |
		 (unsigned long)READ_ONCE(v->domain->controller_pause_count));
}

/* v has something to look at (an event, a timer): wakes it when blocked, makes its CPU leave the guest
 * when it runs elsewhere. */
void vcpu_kick(struct vcpu *v);
void vcpu_unblock(struct vcpu *v);
/* Sets the upcall-pending flag of v and kicks it if it was clear. */
void vcpu_mark_events_pending(struct vcpu *v);

#endif

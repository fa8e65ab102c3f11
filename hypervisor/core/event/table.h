/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A domain's event channels: its ports, and the words through which it sees them.
 *
 *   evtchn_table.pages --> [page of 128 ports] [page] ...   grows as ports are taken
 *               .fifo  --> FIFO ABI: event words and queues; NULL = two-level ABI
 *
 * The functions here change state and return what must follow as EVTCHN_* effects; the caller
 * notifies. evtchn_table.lock (RANK_EVTCHN) protects every port and the table. A port's link to a
 * remote port changes only under both domains' locks, so whoever holds one side's lock may follow
 * the link and raise the other side's port; evtchn_fifo.lock then orders the queues.
 */
#ifndef SERAI_CORE_EVENT_TABLE_H
#define SERAI_CORE_EVENT_TABLE_H

#include <bitops.h>
#include <spinlock.h>
#include <types.h>
#include <xerrno.h>
#include <xen/event_channel.h>

struct domain;
struct evtchn_fifo;

enum evtchn_state {
	ECS_FREE,
	ECS_RESERVED, /* port 0, and ports being bound or unbound outside the lock */
	ECS_UNBOUND,  /* waits for remote_domid to bind */
	ECS_INTERDOMAIN,
	ECS_PIRQ,
	ECS_VIRQ,
	ECS_IPI,
};

struct evtchn_port {
	u8 state;
	u8 priority;
	u8 last_priority; /* FIFO queue it was last put on, with last_vcpu */
	u8 early;         /* FIFO: raised before its event word existed */
	u16 vcpu;         /* whom it notifies */
	u16 last_vcpu;
	u32 peer; /* remote port, pirq or virq */
	domid_t remote_domid;
	u16 pad;
	struct domain *remote; /* ECS_INTERDOMAIN: alive as long as the link stands */
	u64 pad2;
};
_Static_assert(sizeof(struct evtchn_port) == 32, "a power of two: ports are found by shifting");

#define EVTCHN_PORTS_PER_PAGE (PAGE_SIZE / sizeof(struct evtchn_port))

struct evtchn_table {
	spinlock_t lock;
	u32 nr_ports;   /* ports that have a struct: grows, never shrinks */
	u32 max_ports;  /* nr_ports never passes this: what the domain may have */
	u32 first_free; /* no free port below */
	u32 in_use;
	u32 pollers;               /* vCPUs in SCHEDOP_poll */
	u32 kill_next, reset_next; /* where a restart goes on */
	struct evtchn_fifo *fifo;
	struct evtchn_port **pages;
	u32 *pirq_port; /* NULL until a pirq is bound */
};

/* What the caller of a raise or unmask must do. */
#define EVTCHN_NEW 1U    /* was not pending before: pollers may want to know */
#define EVTCHN_NOTIFY 2U /* the vCPU's upcall-pending flag must be set */

/* Keeps a mispredicted bound check from indexing beyond nr: 0 for idx >= nr, all ones otherwise. */
static inline u64 evtchn_index_mask(u64 idx, u64 nr)
{
	u64 mask;

	__asm__("cmp %2, %1; sbb %0, %0" : "=r"(mask) : "r"(idx), "r"(nr) : "cc");
	return mask;
}

/* NULL beyond the table. A port found may be free. */
static inline struct evtchn_port *evtchn_find(const struct evtchn_table *t, u32 port)
{
	u32 nr = READ_ONCE(t->nr_ports);
	u64 i;

	if (unlikely(port >= nr))
		return NULL;
	i = port & evtchn_index_mask(port, nr);
	return &t->pages[i / EVTCHN_PORTS_PER_PAGE][i % EVTCHN_PORTS_PER_PAGE];
}

static inline bool evtchn_virq_is_global(u32 virq)
{
	return !(virq == VIRQ_TIMER || virq == VIRQ_DEBUG || virq == VIRQ_XENOPROF || virq == VIRQ_XENPMU);
}

/* Page slots a table with that many ports needs in .pages. */
static inline u32 evtchn_page_slots(u32 max_ports)
{
	return (u32)DIV_ROUND_UP(max_ports, EVTCHN_PORTS_PER_PAGE);
}

/* Takes the lowest free port, which becomes ECS_RESERVED. -ENOSPC: no more under the ABI in use or
 * the domain's limit; -ENOBUFS: a zeroed page is wanted, evtchn_add_page() and try again. */
int evtchn_take(struct evtchn_table *t);
void evtchn_add_page(struct evtchn_table *t, void *page);
/* Back to ECS_FREE, its event not pending any more. */
void evtchn_release(struct evtchn_table *t, u32 port);

/* ---- two-level ABI: a bit in shared_info, a summary bit in vcpu_info ---- */

/* vi may be NULL: a vCPU that does not exist yet. */
static inline unsigned int evtchn_2l_raise(struct shared_info *s, struct vcpu_info *vi, u32 port)
{
	if (test_and_set_bit(port, s->evtchn_pending))
		return 0;
	if (!test_bit(port, s->evtchn_mask) && vi && !test_and_set_bit(port / 64, &vi->evtchn_pending_sel))
		return EVTCHN_NEW | EVTCHN_NOTIFY;
	return EVTCHN_NEW;
}
unsigned int evtchn_2l_unmask(struct shared_info *s, struct vcpu_info *vi, u32 port);

/* ---- FIFO ABI (fifo.c) ---- */

struct evtchn_fifo_vcpu {
	struct evtchn_fifo_control_block *control; /* in a guest page; NULL = not registered */
	u32 tail[EVTCHN_FIFO_MAX_QUEUES];          /* last port put on each queue, 0 = none */
};

#define EVTCHN_WORDS_PER_PAGE (PAGE_SIZE / sizeof(event_word_t))
#define EVTCHN_FIFO_PAGES (EVTCHN_FIFO_NR_CHANNELS / EVTCHN_WORDS_PER_PAGE)

struct evtchn_fifo {
	spinlock_t lock; /* RANK_EVTCHN_QUEUE: tails, and who writes heads */
	u32 nr_pages;
	event_word_t *words[EVTCHN_FIFO_PAGES]; /* guest pages */
	u32 nr_vcpus;
	struct evtchn_fifo_vcpu vcpu[];
};

static inline event_word_t *evtchn_fifo_word(const struct evtchn_fifo *f, u32 port)
{
	u32 page = port / EVTCHN_WORDS_PER_PAGE, nr = READ_ONCE(f->nr_pages);

	if (unlikely(page >= nr))
		return NULL;
	page &= (u32)evtchn_index_mask(page, nr);
	return &f->words[page][port % EVTCHN_WORDS_PER_PAGE];
}

/* vcpu: whom to notify, read once by the caller, who acts on the effects with the same value. */
unsigned int evtchn_fifo_raise(struct evtchn_fifo *f, struct evtchn_port *p, u32 port, unsigned int vcpu);
unsigned int evtchn_fifo_unmask(struct evtchn_fifo *f, struct evtchn_port *p, u32 port, unsigned int vcpu);
void evtchn_fifo_register(struct evtchn_fifo *f, unsigned int vcpu,
			  struct evtchn_fifo_control_block *control);
/* The next page of event words; 0, or -ENOSPC. */
int evtchn_fifo_add_page(struct evtchn_fifo *f, event_word_t *words);
/* From two-level to FIFO: default priorities, and pending events kept to be raised when their words
 * come. */
void evtchn_fifo_adopt(struct evtchn_table *t, struct evtchn_fifo *f, const struct shared_info *s);

bool evtchn_is_pending(const struct evtchn_table *t, const struct shared_info *s, u32 port);
bool evtchn_is_masked(const struct evtchn_table *t, const struct shared_info *s, u32 port);
void evtchn_clear_pending(struct evtchn_table *t, struct shared_info *s, u32 port);

#endif

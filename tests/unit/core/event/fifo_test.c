/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The FIFO event-channel ABI against a guest written from the ABI page alone: what is raised is
 * seen once, in priority order, wherever ports are moved to; a hostile guest only loses events; and
 * with threads, no wake-up is lost between a raising hypervisor and a consuming guest.
 */
#include <core/event/table.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define VCPUS 3U
#define PORTS 2000U

void spin_lock_wait(spinlock_t *l, u16 ticket)
{
	while (__atomic_load_n(&l->head, __ATOMIC_ACQUIRE) != ticket)
		sched_yield();
}

struct guest {
	struct evtchn_fifo *fifo;
	struct evtchn_fifo_control_block *control[VCPUS];
	event_word_t *words[2];
	u32 head[VCPUS][EVTCHN_FIFO_MAX_QUEUES];
	struct evtchn_port port[PORTS];
	bool upcall[VCPUS];
};

static event_word_t *word(struct guest *g, u32 port)
{
	return &g->words[port / EVTCHN_WORDS_PER_PAGE][port % EVTCHN_WORDS_PER_PAGE];
}

static struct guest *guest_new(void)
{
	struct guest *g = calloc(1, sizeof(*g));

	g->fifo = calloc(1, sizeof(*g->fifo) + VCPUS * sizeof(g->fifo->vcpu[0]));
	spin_lock_init(&g->fifo->lock, RANK_EVTCHN_QUEUE);
	g->fifo->nr_vcpus = VCPUS;
	for (unsigned int v = 0; v < VCPUS; v++) {
		g->control[v] = calloc(1, sizeof(*g->control[v]));
		evtchn_fifo_register(g->fifo, v, g->control[v]);
	}
	for (unsigned int i = 0; i < 2; i++) {
		g->words[i] = aligned_alloc(PAGE_SIZE, PAGE_SIZE);
		memset(g->words[i], 0, PAGE_SIZE);
		assert_int_equal(evtchn_fifo_add_page(g->fifo, g->words[i]), 0);
	}
	for (u32 p = 0; p < PORTS; p++)
		g->port[p].priority = g->port[p].last_priority = EVTCHN_FIFO_PRIORITY_DEFAULT;
	return g;
}

static void guest_free(struct guest *g)
{
	for (unsigned int v = 0; v < VCPUS; v++)
		free(g->control[v]);
	free(g->words[0]);
	free(g->words[1]);
	free(g->fifo);
	free(g);
}

static unsigned int raise(struct guest *g, u32 port)
{
	struct evtchn_port *p = &g->port[port];
	unsigned int effect = evtchn_fifo_raise(g->fifo, p, port, p->vcpu);

	if (effect & EVTCHN_NOTIFY)
		__atomic_store_n(&g->upcall[p->vcpu], true, __ATOMIC_SEQ_CST);
	return effect;
}

/* The guest's side: takes one event of the queue, 0 when it is empty. Sets *left when more follow.
 */
static u32 take(struct guest *g, unsigned int vcpu, unsigned int prio, bool *left)
{
	u32 port = g->head[vcpu][prio], link;
	event_word_t *w, old;

	if (!port)
		port = __atomic_load_n(&g->control[vcpu]->head[prio], __ATOMIC_ACQUIRE);
	assert_true(port && port < PORTS);
	w = word(g, port);
	old = __atomic_load_n(w, __ATOMIC_SEQ_CST);
	while (!__atomic_compare_exchange_n(w, &old,
					    old & ~((1U << EVTCHN_FIFO_LINKED) | EVTCHN_FIFO_LINK_MASK),
					    false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
	link = old & EVTCHN_FIFO_LINK_MASK;
	g->head[vcpu][prio] = link;
	*left = link;
	return port;
}

typedef void handler(struct guest *g, u32 port, unsigned int prio, void *data);

static void consume(struct guest *g, unsigned int vcpu, handler *fn, void *data)
{
	u32 ready = __atomic_exchange_n(&g->control[vcpu]->ready, 0, __ATOMIC_SEQ_CST);

	while (ready) {
		unsigned int prio = (unsigned int)__builtin_ctz(ready);
		bool left;
		u32 port = take(g, vcpu, prio, &left);
		event_word_t w = *word(g, port);

		if (!left)
			ready &= ~(1U << prio);
		if (!(w & 1U << EVTCHN_FIFO_MASKED) && w & 1U << EVTCHN_FIFO_PENDING) {
			__atomic_fetch_and(word(g, port), ~(1U << EVTCHN_FIFO_PENDING), __ATOMIC_SEQ_CST);
			fn(g, port, prio, data);
		}
		ready |= __atomic_exchange_n(&g->control[vcpu]->ready, 0, __ATOMIC_SEQ_CST);
	}
}

struct seen {
	u32 port[64];
	unsigned int prio[64], nr;
};

static void note(struct guest *g, u32 port, unsigned int prio, void *data)
{
	struct seen *s = data;

	(void)g;
	assert_true(s->nr < 64);
	s->port[s->nr] = port;
	s->prio[s->nr++] = prio;
}

static void order_is_fifo_within_a_priority(void **state)
{
	struct guest *g = guest_new();
	struct seen s = {.nr = 0};
	const u32 raised[] = {5, 1030, 7, 1999};

	(void)state;
	assert_int_equal(raise(g, 5), EVTCHN_NEW | EVTCHN_NOTIFY);
	for (unsigned int i = 1; i < 4; i++)
		assert_int_equal(raise(g, raised[i]), EVTCHN_NEW);
	assert_int_equal(raise(g, 7), 0); /* pending already */
	consume(g, 0, note, &s);
	assert_int_equal(s.nr, 4);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(s.port[i], raised[i]);
	/* The queue has run empty: the next one starts it again, even if it is the old tail. */
	assert_int_equal(raise(g, 1999), EVTCHN_NEW | EVTCHN_NOTIFY);
	s.nr = 0;
	consume(g, 0, note, &s);
	assert_int_equal(s.nr, 1);
	guest_free(g);
}

static void higher_priority_first(void **state)
{
	struct guest *g = guest_new();
	struct seen s = {.nr = 0};

	(void)state;
	g->port[3].priority = 12;
	g->port[4].priority = 0;
	raise(g, 3);
	raise(g, 2);
	raise(g, 4);
	consume(g, 0, note, &s);
	assert_int_equal(s.nr, 3);
	assert_int_equal(s.port[0], 4);
	assert_int_equal(s.port[1], 2);
	assert_int_equal(s.port[2], 3);
	guest_free(g);
}

static void masked_waits_for_unmask(void **state)
{
	struct guest *g = guest_new();
	struct seen s = {.nr = 0};

	(void)state;
	*word(g, 9) = 1U << EVTCHN_FIFO_MASKED;
	assert_int_equal(raise(g, 9), EVTCHN_NEW);
	assert_false(*word(g, 9) & 1U << EVTCHN_FIFO_LINKED);
	assert_int_equal(evtchn_fifo_unmask(g->fifo, &g->port[9], 9, 0), EVTCHN_NOTIFY);
	assert_int_equal(evtchn_fifo_unmask(g->fifo, &g->port[9], 9, 0), 0);
	consume(g, 0, note, &s);
	assert_int_equal(s.nr, 1);
	guest_free(g);
}

static void moving_a_tail_leaves_its_old_queue_usable(void **state)
{
	struct guest *g = guest_new();
	struct seen s = {.nr = 0};

	(void)state;
	raise(g, 11);
	consume(g, 0, note, &s); /* 11 is vCPU 0's tail, and off the queue */
	g->port[11].vcpu = 1;
	raise(g, 11); /* now linked on vCPU 1 */
	assert_int_equal(raise(g, 12), EVTCHN_NEW | EVTCHN_NOTIFY);
	s.nr = 0;
	consume(g, 0, note, &s);
	assert_int_equal(s.nr, 1);
	assert_int_equal(s.port[0], 12);
	s.nr = 0;
	consume(g, 1, note, &s);
	assert_int_equal(s.nr, 1);
	assert_int_equal(s.port[0], 11);
	guest_free(g);
}

static void without_a_control_block_nothing_is_linked(void **state)
{
	struct guest *g = guest_new();

	(void)state;
	g->fifo->vcpu[2].control = NULL;
	g->port[20].vcpu = 2;
	assert_int_equal(raise(g, 20), EVTCHN_NEW);
	assert_false(*word(g, 20) & 1U << EVTCHN_FIFO_LINKED);
	guest_free(g);
}

static void beyond_the_words_is_remembered(void **state)
{
	struct guest *g = guest_new();

	(void)state;
	assert_int_equal(evtchn_fifo_raise(g->fifo, &g->port[1], 2048, 0), 0);
	assert_int_equal(g->port[1].early, 1);
	guest_free(g);
}

/* Random raises, moves, masks and consumption; a plain array says what must be outstanding. */
static void mark_seen(struct guest *g, u32 port, unsigned int prio, void *data)
{
	bool *want = data;

	(void)g;
	(void)prio;
	assert_true(want[port]);
	want[port] = false;
}

static void random_walk_loses_nothing(void **state)
{
	struct guest *g = guest_new();
	bool want[PORTS] = {false};

	(void)state;
	srand(7);
	for (unsigned int step = 0; step < 300000; step++) {
		u32 port = 1 + (u32)rand() % 40;

		switch (rand() % 8) {
		case 0:
			consume(g, (unsigned int)rand() % VCPUS, mark_seen, want);
			break;
		case 1:
			g->port[port].vcpu = (u16)(rand() % VCPUS);
			break;
		case 2:
			g->port[port].priority = (u8)(rand() % EVTCHN_FIFO_MAX_QUEUES);
			break;
		case 3:
			__atomic_fetch_or(word(g, port), 1U << EVTCHN_FIFO_MASKED, __ATOMIC_SEQ_CST);
			break;
		case 4:
			evtchn_fifo_unmask(g->fifo, &g->port[port], port, g->port[port].vcpu);
			break;
		default:
			raise(g, port);
			want[port] = true;
		}
	}
	for (u32 port = 1; port <= 40; port++)
		evtchn_fifo_unmask(g->fifo, &g->port[port], port, g->port[port].vcpu);
	for (unsigned int v = 0; v < VCPUS; v++)
		consume(g, v, mark_seen, want);
	for (u32 port = 1; port <= 40; port++)
		assert_false(want[port]);
	guest_free(g);
}

static void scribbling_guest_harms_nobody(void **state)
{
	struct guest *g = guest_new();

	(void)state;
	srand(11);
	for (unsigned int step = 0; step < 200000; step++) {
		u32 port = 1 + (u32)rand() % (PORTS - 1);

		if (rand() % 2)
			*word(g, (u32)rand() % 2048) = (event_word_t)rand() * 2654435761U;
		if (rand() % 4 == 0)
			g->control[rand() % VCPUS]->head[rand() % 16] = (u32)rand();
		if (rand() % 4 == 0)
			g->control[rand() % VCPUS]->ready = (u32)rand();
		g->port[port].vcpu = (u16)(rand() % VCPUS);
		g->port[port].priority = (u8)(rand() % 16);
		raise(g, port);
		evtchn_fifo_unmask(g->fifo, &g->port[port], port, g->port[port].vcpu);
	}
	guest_free(g);
}

/* ---- threads ---- */

#define RAISERS 3U
#define RAISES 60000U
static u32 wanted[64];
static bool raisers_done;

static void *raiser(void *data)
{
	struct guest *g = data;
	u32 seed = (u32)(u64)&seed;

	for (unsigned int i = 0; i < RAISES; i++) {
		u32 port;

		seed = seed * 1664525U + 1013904223U;
		port = 1 + (seed >> 16) % 60;
		__atomic_store_n(&wanted[port], 1, __ATOMIC_SEQ_CST);
		raise(g, port);
	}
	return NULL;
}

static void handled(struct guest *g, u32 port, unsigned int prio, void *data)
{
	(void)g;
	(void)prio;
	(void)data;
	__atomic_store_n(&wanted[port], 0, __ATOMIC_SEQ_CST);
}

static void *consumer(void *data)
{
	struct guest *g = data;

	for (;;) {
		bool last = __atomic_load_n(&raisers_done, __ATOMIC_SEQ_CST);

		if (__atomic_exchange_n(&g->upcall[0], false, __ATOMIC_SEQ_CST))
			consume(g, 0, handled, NULL);
		else if (last)
			return NULL;
		else
			sched_yield();
	}
}

static void threads_lose_no_event(void **state)
{
	struct guest *g = guest_new();
	pthread_t r[RAISERS], c;

	(void)state;
	pthread_create(&c, NULL, consumer, g);
	for (unsigned int i = 0; i < RAISERS; i++)
		pthread_create(&r[i], NULL, raiser, g);
	for (unsigned int i = 0; i < RAISERS; i++)
		pthread_join(r[i], NULL);
	__atomic_store_n(&raisers_done, true, __ATOMIC_SEQ_CST);
	pthread_join(c, NULL);
	for (u32 port = 1; port < 61; port++) {
		assert_false(*word(g, port) & 1U << EVTCHN_FIFO_PENDING);
		assert_int_equal(wanted[port], 0);
	}
	guest_free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_is_fifo_within_a_priority),
		cmocka_unit_test(higher_priority_first),
		cmocka_unit_test(masked_waits_for_unmask),
		cmocka_unit_test(moving_a_tail_leaves_its_old_queue_usable),
		cmocka_unit_test(without_a_control_block_nothing_is_linked),
		cmocka_unit_test(beyond_the_words_is_remembered),
		cmocka_unit_test(random_walk_loses_nothing),
		cmocka_unit_test(scribbling_guest_harms_nobody),
		cmocka_unit_test(threads_lose_no_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

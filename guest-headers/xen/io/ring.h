/* SPDX-License-Identifier: MIT */
/*
 * Request and response rings in a shared page.
 *
 *        front end                  shared page                    back end
 *   req_prod_pvt --push--> req_prod  [ entry | entry | ... ]  --> req_cons
 *   rsp_cons <------------ rsp_prod                            <-- rsp_prod_pvt
 *
 * Indexes run freely and are masked on use; requests and responses share the entries, so
 * a response takes the place of a request already consumed. Each side publishes what it
 * wrote by a store to its producer index after a write barrier. req_event and rsp_event
 * hold notifications back: a side asks to be told when the other passes that index.
 *
 * The including file provides xen_mb(), xen_rmb(), xen_wmb(), memset and offsetof.
 * The other end is never trusted: read an entry once, with RING_COPY_REQUEST or
 * RING_COPY_RESPONSE, and check producer indexes with the OVERFLOW macros.
 */
#ifndef __XEN_PUBLIC_IO_RING_H__
#define __XEN_PUBLIC_IO_RING_H__

#include <stddef.h>
#include <stdint.h>
#include "../xen-compat.h"

typedef unsigned int RING_IDX;

/* Largest power of two not above x, as a constant expression: smear the top bit, halve. */
#define __RING_SMEAR1(x) ((x) | ((x) >> 1))
#define __RING_SMEAR2(x) (__RING_SMEAR1(x) | (__RING_SMEAR1(x) >> 2))
#define __RING_SMEAR4(x) (__RING_SMEAR2(x) | (__RING_SMEAR2(x) >> 4))
#define __RING_SMEAR8(x) (__RING_SMEAR4(x) | (__RING_SMEAR4(x) >> 8))
#define __RING_SMEAR16(x) (__RING_SMEAR8(x) | (__RING_SMEAR8(x) >> 16))
#define __RING_FLOOR_POW2(x) (__RING_SMEAR16((uint32_t)(x)) - (__RING_SMEAR16((uint32_t)(x)) >> 1))

#define __RING_BYTES_FOR_ENTRIES(bytes, type) ((bytes)-offsetof(type, ring))
#define __CONST_RING_SIZE(tag, bytes)                                           \
	__RING_FLOOR_POW2(__RING_BYTES_FOR_ENTRIES(bytes, struct tag##_sring) / \
			  sizeof(union tag##_sring_entry))
#define __RING_SIZE(sring, bytes)                                                         \
	__RING_FLOOR_POW2(((bytes) - (size_t)((char *)(sring)->ring - (char *)(sring))) / \
			  sizeof((sring)->ring[0]))

/* Declares tag_sring_t (shared), tag_front_ring_t and tag_back_ring_t (private). */
#define DEFINE_RING_TYPES(tag, request_t, response_t)                            \
	union tag##_sring_entry {                                                \
		request_t req;                                                   \
		response_t rsp;                                                  \
	};                                                                       \
	struct tag##_sring {                                                     \
		RING_IDX req_prod, req_event;                                    \
		RING_IDX rsp_prod, rsp_event;                                    \
		union {                                                          \
			struct {                                                 \
				uint8_t smartpoll_active;                        \
			} netif;                                                 \
			struct {                                                 \
				uint8_t msg;                                     \
			} tapif_user;                                            \
			uint8_t pvt_pad[4];                                      \
		} pvt;                                                           \
		uint8_t __pad[44];                                               \
		union tag##_sring_entry ring[1]; /* as many as the area holds */ \
	};                                                                       \
	struct tag##_front_ring {                                                \
		RING_IDX req_prod_pvt;                                           \
		RING_IDX rsp_cons;                                               \
		unsigned int nr_ents;                                            \
		struct tag##_sring *sring;                                       \
	};                                                                       \
	struct tag##_back_ring {                                                 \
		RING_IDX rsp_prod_pvt;                                           \
		RING_IDX req_cons;                                               \
		unsigned int nr_ents;                                            \
		struct tag##_sring *sring;                                       \
	};                                                                       \
	typedef struct tag##_sring tag##_sring_t;                                \
	typedef struct tag##_front_ring tag##_front_ring_t;                      \
	typedef struct tag##_back_ring tag##_back_ring_t

/* The front end empties the shared part once; both ends attach at an index. */
#define SHARED_RING_INIT(s)                                                  \
	do {                                                                 \
		(s)->req_prod = 0;                                           \
		(s)->rsp_prod = 0;                                           \
		(s)->req_event = 1;                                          \
		(s)->rsp_event = 1;                                          \
		(void)memset((s)->pvt.pvt_pad, 0, sizeof((s)->pvt.pvt_pad)); \
		(void)memset((s)->__pad, 0, sizeof((s)->__pad));             \
	} while (0)

#define FRONT_RING_ATTACH(r, s, idx, bytes)           \
	do {                                          \
		(r)->sring = (s);                     \
		(r)->nr_ents = __RING_SIZE(s, bytes); \
		(r)->req_prod_pvt = (idx);            \
		(r)->rsp_cons = (idx);                \
	} while (0)
#define FRONT_RING_INIT(r, s, bytes) FRONT_RING_ATTACH(r, s, 0, bytes)
#define XEN_FRONT_RING_INIT(r, s, bytes)      \
	do {                                  \
		SHARED_RING_INIT(s);          \
		FRONT_RING_INIT(r, s, bytes); \
	} while (0)

#define BACK_RING_ATTACH(r, s, idx, bytes)            \
	do {                                          \
		(r)->sring = (s);                     \
		(r)->nr_ents = __RING_SIZE(s, bytes); \
		(r)->rsp_prod_pvt = (idx);            \
		(r)->req_cons = (idx);                \
	} while (0)
#define BACK_RING_INIT(r, s, bytes) BACK_RING_ATTACH(r, s, 0, bytes)

#define RING_SIZE(r) ((r)->nr_ents)

/* Front end: slots in which a request may still be queued. */
#define RING_FREE_REQUESTS(r) (RING_SIZE(r) - ((r)->req_prod_pvt - (r)->rsp_cons))
#define RING_FULL(r) (RING_FREE_REQUESTS(r) == 0)

#define XEN_RING_NR_UNCONSUMED_RESPONSES(r) ((r)->sring->rsp_prod - (r)->rsp_cons)

/* Never more than the ring can hold, whatever the front end wrote into req_prod. */
#define XEN_RING_NR_UNCONSUMED_REQUESTS(r)                                            \
	__extension__({                                                               \
		RING_IDX __queued = (r)->sring->req_prod - (r)->req_cons;             \
		RING_IDX __room = RING_SIZE(r) - ((r)->req_cons - (r)->rsp_prod_pvt); \
		__queued < __room ? __queued : __room;                                \
	})

#ifdef XEN_RING_HAS_UNCONSUMED_IS_BOOL
#define RING_HAS_UNCONSUMED_RESPONSES(r) (XEN_RING_NR_UNCONSUMED_RESPONSES(r) != 0)
#define RING_HAS_UNCONSUMED_REQUESTS(r) (XEN_RING_NR_UNCONSUMED_REQUESTS(r) != 0)
#else
#define RING_HAS_UNCONSUMED_RESPONSES(r) XEN_RING_NR_UNCONSUMED_RESPONSES(r)
#define RING_HAS_UNCONSUMED_REQUESTS(r) XEN_RING_NR_UNCONSUMED_REQUESTS(r)
#endif

#define __RING_ENTRY(r, idx) (&(r)->sring->ring[(idx) & (RING_SIZE(r) - 1)])
#define RING_GET_REQUEST(r, idx) (&__RING_ENTRY(r, idx)->req)
#define RING_GET_RESPONSE(r, idx) (&__RING_ENTRY(r, idx)->rsp)

/* A private copy, read through a volatile so that the compiler reads memory once. */
#define RING_COPY_(what, r, idx, dest)                                         \
	do {                                                                   \
		*(dest) = *(volatile __typeof__(dest))RING_GET_##what(r, idx); \
	} while (0)
#define RING_COPY_REQUEST(r, idx, req) RING_COPY_(REQUEST, r, idx, req)
#define RING_COPY_RESPONSE(r, idx, rsp) RING_COPY_(RESPONSE, r, idx, rsp)

/* True when an index claims more entries than can be outstanding. */
#define RING_REQUEST_CONS_OVERFLOW(r, cons) (((cons) - (r)->rsp_prod_pvt) >= RING_SIZE(r))
#define RING_REQUEST_PROD_OVERFLOW(r, prod) (((prod) - (r)->rsp_prod_pvt) > RING_SIZE(r))
#define RING_RESPONSE_PROD_OVERFLOW(r, prod) (((prod) - (r)->rsp_cons) > RING_SIZE(r))

#define RING_PUSH_REQUESTS(r)                             \
	do {                                              \
		xen_wmb();                                \
		(r)->sring->req_prod = (r)->req_prod_pvt; \
	} while (0)

#define RING_PUSH_RESPONSES(r)                            \
	do {                                              \
		xen_wmb();                                \
		(r)->sring->rsp_prod = (r)->rsp_prod_pvt; \
	} while (0)

/*
 * Publish, then decide whether the other side asked to be told: it did when its event
 * index lies among the entries just published. The full barrier orders our producer
 * index against its event index; the FINAL_CHECK macros are the other half.
 */
#define __RING_PUSH_AND_CHECK(r, prod, event, notify)                                                \
	do {                                                                                         \
		RING_IDX __before = (r)->sring->prod;                                                \
		RING_IDX __after = (r)->prod##_pvt;                                                  \
		xen_wmb();                                                                           \
		(r)->sring->prod = __after;                                                          \
		xen_mb();                                                                            \
		(notify) = (RING_IDX)(__after - (r)->sring->event) < (RING_IDX)(__after - __before); \
	} while (0)
#define RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(r, notify) __RING_PUSH_AND_CHECK(r, req_prod, req_event, notify)
#define RING_PUSH_RESPONSES_AND_CHECK_NOTIFY(r, notify) __RING_PUSH_AND_CHECK(r, rsp_prod, rsp_event, notify)

/* Before sleeping: ask to be told of the next entry, then look once more. */
#define __RING_FINAL_CHECK(r, what, cons, event, work)  \
	do {                                            \
		(work) = RING_HAS_UNCONSUMED_##what(r); \
		if (work)                               \
			break;                          \
		(r)->sring->event = (r)->cons + 1;      \
		xen_mb();                               \
		(work) = RING_HAS_UNCONSUMED_##what(r); \
	} while (0)
#define RING_FINAL_CHECK_FOR_REQUESTS(r, work) __RING_FINAL_CHECK(r, REQUESTS, req_cons, req_event, work)
#define RING_FINAL_CHECK_FOR_RESPONSES(r, work) __RING_FINAL_CHECK(r, RESPONSES, rsp_cons, rsp_event, work)

#endif /* __XEN_PUBLIC_IO_RING_H__ */

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer: xenstore's wire from a guest and from a tool. Every chunk begins with a byte that says
 * who sends it and how much of it; the store has to be in order afterwards.
 */
#include "harness.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fixture x = {0};
	struct store *s = store_new(&fake_world, &x);
	struct conn *who[4] = {domain_conn(s, 5), domain_conn(s, 6), socket_conn(s, 1), socket_conn(s, 2)};
	uint32_t id[4] = {5, 6, CONN_SOCKET + 1, CONN_SOCKET + 2};

	s->quota[QUOTA_OUTPUT] = 2000;
	for (int i = 0; i < 2; i++)
		ask(s, who[2], XS_WRITE, 0, i ? "/local/domain/5|" : "/local/domain/6|");
	ask(s, who[2], XS_SET_PERMS, 0, "/local/domain/5|n5|r6|");
	ask(s, who[2], XS_SET_PERMS, 0, "/local/domain/6|n6|b5|");
	while (size > 1) {
		unsigned int i = *data & 3, n = (*data >> 2) * 2 + 1;
		struct conn *c = conn_find(s, id[i]);
		size_t len;

		data++;
		size--;
		if (n > size)
			n = size;
		if (c)
			conn_input(s, c, data, n);
		c = conn_find(s, id[i]);
		if (c && conn_output(c, &len) && len > 1000)
			conn_sent(s, c, len);
		data += n;
		size -= n;
	}
	if (store_check(s))
		abort();
	store_free(s);
	return 0;
}

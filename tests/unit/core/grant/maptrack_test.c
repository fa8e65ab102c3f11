/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Handles: each is given to one user at a time, growth and limit. */
#include <core/grant/table.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define PAGES 3

static struct maptrack *maptrack_new(void)
{
	struct maptrack *m = calloc(1, sizeof(*m));

	m->free = MAPTRACK_NONE;
	m->max_pages = PAGES;
	m->pages = calloc(PAGES, sizeof(*m->pages));
	return m;
}

static void maptrack_free(struct maptrack *m)
{
	for (u32 i = 0; i < m->nr / MAPTRACK_PER_PAGE; i++)
		free(m->pages[i]);
	free(m->pages);
	free(m);
}

static void handles_are_unique(void **state)
{
	struct maptrack *m = maptrack_new();
	bool used[PAGES * MAPTRACK_PER_PAGE] = {false};
	u32 held[PAGES * MAPTRACK_PER_PAGE], nr = 0;

	(void)state;
	srand(3);
	for (unsigned int step = 0; step < 100000; step++) {
		if (rand() % 5 < 3) {
			u32 h = maptrack_take(m);

			if (h == MAPTRACK_NONE) {
				void *page = calloc(1, PAGE_SIZE);

				if (!maptrack_add_page(m, page))
					continue;
				free(page);
				assert_int_equal(m->nr, PAGES * MAPTRACK_PER_PAGE);
				assert_int_equal(nr, m->nr);
				continue;
			}
			assert_true(h < m->nr && !used[h]);
			used[h] = true;
			maptrack_find(m, h)->flags = MAPTRACK_USED;
			held[nr++] = h;
		} else if (nr) {
			u32 i = (u32)rand() % nr, h = held[i];

			maptrack_release(m, h);
			assert_int_equal(maptrack_find(m, h)->flags, 0);
			used[h] = false;
			held[i] = held[--nr];
		}
		assert_int_equal(m->in_use, nr);
	}
	assert_null(maptrack_find(m, m->nr));
	assert_null(maptrack_find(m, MAPTRACK_NONE));
	maptrack_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(handles_are_unique)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A screen by ncurses, which is opened for it: the other verbs do without. */
#include "screen.h"
#include "libxc/late.h"

#include <ncurses.h>

LATE_NOTE(ncurses, "libncursesw.so.6", "the screen of serai top");

#define CURSES_NAMES(X) \
	X(initscr)      \
	X(cbreak)       \
	X(noecho)       \
	X(nodelay)      \
	X(werase)       \
	X(wmove)        \
	X(waddnstr)     \
	X(waddch)       \
	X(wrefresh)     \
	X(wgetch)       \
	X(getmaxx)      \
	X(getmaxy)      \
	X(endwin)

static struct {
#define X(name) __typeof__(name) *name##_;
	CURSES_NAMES(X)
#undef X
} lib;

static WINDOW *win;

int screen_open(void)
{
	static void *handle;
#define X(n) {.name = #n, .to = &lib.n##_},
	static const struct late names[] = {CURSES_NAMES(X)};
#undef X
	int rc = handle ? 0 : late_open("libncursesw.so.6", names, sizeof(names) / sizeof(names[0]), &handle);

	if (rc < 0)
		return rc;
	win = lib.initscr_();
	lib.cbreak_();
	lib.noecho_();
	lib.nodelay_(win, TRUE);
	return 0;
}

void screen_close(void)
{
	lib.endwin_();
}

void screen_clear(void)
{
	lib.werase_(win);
	lib.wmove_(win, 0, 0);
}

void screen_line(const char *t)
{
	lib.waddnstr_(win, t, lib.getmaxx_(win) - 1);
	lib.waddch_(win, '\n');
}

void screen_show(const char *last)
{
	lib.wmove_(win, lib.getmaxy_(win) - 1, 0);
	lib.waddnstr_(win, last, -1);
	lib.wrefresh_(win);
}

int screen_key(void)
{
	int k = lib.wgetch_(win);

	return k == ERR ? -1 : k;
}

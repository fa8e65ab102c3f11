/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A terminal's screen, written to line by line: what serai top wants of ncurses. */
#ifndef SERAI_SCREEN_H
#define SERAI_SCREEN_H

/* -ELIBACC when ncurses is not installed. */
int screen_open(void);
void screen_close(void);

void screen_clear(void);
/* The next line, cut at the screen's edge. */
void screen_line(const char *t);
/* Shows what was written since screen_clear(), and a last line. */
void screen_show(const char *last);

/* The next key that was typed; negative: none. */
int screen_key(void);

#endif

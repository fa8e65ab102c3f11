/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An xl.cfg file as it was written: a list of settings, each with the line it came from. Meaning is
 * given to them by parse.c.
 */
#ifndef SERAI_CONF_SETTINGS_H
#define SERAI_CONF_SETTINGS_H

#include <stddef.h>

enum conf_kind { CONF_STRING, CONF_NUMBER, CONF_LIST };

struct conf_value {
	enum conf_kind kind;
	char *text;                /* string or number, as written (escapes resolved) */
	struct conf_value **items; /* list */
	unsigned int count;
	int line;
};

struct conf_setting {
	struct conf_setting *next;
	char *name;
	struct conf_value *value;
	const char *file;
	int line;
};

struct conf_file {
	struct conf_setting *head, **tail;
	const char *name;
	char error[256];    /* "file:line: what", empty when all is well */
	unsigned int depth; /* open brackets: a newline inside a list separates nothing */
};

/* Parse text; `name` is used in messages. 0, or -EINVAL with f->error set. */
int conf_parse_text(struct conf_file *f, const char *name, const char *text, size_t len);
void conf_file_free(struct conf_file *f);
struct conf_setting *conf_find(struct conf_file *f, const char *name);

/* Used by the grammar. */
struct conf_value *conf_value_new(enum conf_kind kind, char *text, int line);
struct conf_value *conf_list_add(struct conf_value *list, struct conf_value *item);
void conf_value_free(struct conf_value *v);
int conf_set(struct conf_file *f, char *name, struct conf_value *v, int add, int line);
void conf_complain(struct conf_file *f, int line, const char *what);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of settings that the grammar fills.
 */
#include "settings.h"
#include "toolstack/conf/grammar.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* From the generated scanner. */
int conf_yylex_init_extra(struct conf_file *f, void **scanner);
int conf_yylex_destroy(void *scanner);
struct yy_buffer_state *conf_yy_scan_bytes(const char *text, int len, void *scanner);
void conf_yyset_lineno(int line, void *scanner);

void conf_complain(struct conf_file *f, int line, const char *what)
{
	if (!f->error[0]) /* the first complaint is the cause, later ones its consequences */
		snprintf(f->error, sizeof(f->error), "%s:%d: %s", f->name, line, what);
}

struct conf_value *conf_value_new(enum conf_kind kind, char *text, int line)
{
	struct conf_value *v = calloc(1, sizeof(*v));

	if (!v) {
		free(text);
		return NULL;
	}
	v->kind = kind;
	v->text = text;
	v->line = line;
	return v;
}

void conf_value_free(struct conf_value *v)
{
	if (!v)
		return;
	for (unsigned int i = 0; i < v->count; i++)
		conf_value_free(v->items[i]);
	free(v->items);
	free(v->text);
	free(v);
}

struct conf_value *conf_list_add(struct conf_value *list, struct conf_value *item)
{
	struct conf_value **items =
		list && item ? realloc(list->items, (list->count + 1) * sizeof(*items)) : NULL;

	if (!items) {
		conf_value_free(list);
		conf_value_free(item);
		return NULL;
	}
	list->items = items;
	list->items[list->count++] = item;
	return list;
}

struct conf_setting *conf_find(struct conf_file *f, const char *name)
{
	for (struct conf_setting *s = f->head; s; s = s->next)
		if (!strcmp(s->name, name))
			return s;
	return NULL;
}

/* `+=`: strings are joined, lists are extended; the kinds must agree. */
static int append(struct conf_file *f, struct conf_setting *s, struct conf_value *v, int line)
{
	if (s->value->kind != v->kind || v->kind == CONF_NUMBER) {
		conf_complain(f, line, "+= needs two strings or two lists");
		conf_value_free(v);
		return -EINVAL;
	}
	if (v->kind == CONF_STRING) {
		size_t n = strlen(s->value->text), m = strlen(v->text) + 1;
		char *t = realloc(s->value->text, n + m);

		if (t) {
			memcpy(t + n, v->text, m);
			s->value->text = t;
		}
		conf_value_free(v);
		return t ? 0 : -ENOMEM;
	}
	for (unsigned int i = 0; i < v->count; i++) {
		struct conf_value *item = v->items[i];
		struct conf_value **items = realloc(s->value->items, (s->value->count + 1) * sizeof(*items));

		if (!items) {
			conf_value_free(v);
			return -ENOMEM;
		}
		s->value->items = items;
		items[s->value->count++] = item;
		v->items[i] = NULL;
	}
	conf_value_free(v);
	return 0;
}

int conf_set(struct conf_file *f, char *name, struct conf_value *v, int add, int line)
{
	struct conf_setting *s = conf_find(f, name);

	if (s) {
		free(name);
		if (add)
			return append(f, s, v, line);
		conf_value_free(s->value); /* the last one counts, as in xl */
		s->value = v;
		s->file = f->name;
		s->line = line;
		return 0;
	}
	s = calloc(1, sizeof(*s));
	if (!s) {
		free(name);
		conf_value_free(v);
		return -ENOMEM;
	}
	s->name = name;
	s->value = v;
	s->file = f->name;
	s->line = line;
	*f->tail = s;
	f->tail = &s->next;
	return 0;
}

int conf_parse_text(struct conf_file *f, const char *name, const char *text, size_t len)
{
	void *scanner;
	char *copy;
	int rc;

	if (!f->tail) {
		f->head = NULL;
		f->tail = &f->head;
	}
	f->name = name;
	f->error[0] = 0;
	f->depth = 0;
	if (len > 16u << 20) {
		conf_complain(f, 1, "more than 16 MiB is not a configuration file");
		return -EINVAL;
	}
	if (memchr(text, 0, len)) {
		conf_complain(f, 1, "the file contains a NUL byte");
		return -EINVAL;
	}
	if (conf_yylex_init_extra(f, &scanner))
		return -ENOMEM;
	/* The last line may lack its newline; the grammar wants one. */
	copy = malloc(len + 1);
	if (copy) {
		memcpy(copy, text, len);
		copy[len] = '\n';
	}
	if (!copy || !conf_yy_scan_bytes(copy, len + 1, scanner)) {
		free(copy);
		conf_yylex_destroy(scanner);
		return -ENOMEM;
	}
	free(copy);
	conf_yyset_lineno(1, scanner);
	rc = conf_yyparse(scanner, f);
	conf_yylex_destroy(scanner);
	return rc || f->error[0] ? -EINVAL : 0;
}

void conf_file_free(struct conf_file *f)
{
	while (f->head) {
		struct conf_setting *s = f->head;

		f->head = s->next;
		free(s->name);
		conf_value_free(s->value);
		free(s);
	}
	f->tail = NULL;
}

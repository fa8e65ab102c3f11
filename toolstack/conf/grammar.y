%{
/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The syntax of xl.cfg: `name = value` or `name += value`, separated by newlines or semicolons. */
#include "settings.h"

#include <stdio.h>
#include <stdlib.h>
%}

%code provides {
/* The scanner hands these to the parser. */
int conf_yylex(CONF_YYSTYPE *lval, CONF_YYLTYPE *lloc, void *scanner);
}

%define api.pure full
%define api.prefix {conf_yy}
%locations
%parse-param { void *scanner } { struct conf_file *file }
%lex-param { void *scanner }

%union {
	char *text;
	struct conf_value *value;
}

%token <text> NAME "name" NUMBER "number" STRING "string"
%token APPEND "+=" BAD NOMEM
%type <value> value atom list items
%destructor { free($$); } <text>
%destructor { conf_value_free($$); } <value>

%{
static void conf_yyerror(CONF_YYLTYPE *loc, void *scanner, struct conf_file *f, const char *what);
%}
%define parse.error verbose

%%

file:           %empty
        |       file separator
        |       file setting separator
        ;


separator:      '\n'
        |       ';'
        ;

setting:        NAME '=' value   { if (conf_set(file, $1, $3, 0, @1.first_line)) YYNOMEM; }
        |       NAME APPEND value { if (conf_set(file, $1, $3, 1, @1.first_line)) YYABORT; }
        ;

value:          atom
        |       '[' list ']'     { $$ = $2; }
        ;

atom:           STRING           { $$ = conf_value_new(CONF_STRING, $1, @1.first_line); if (!$$) YYNOMEM; }
        |       NUMBER           { $$ = conf_value_new(CONF_NUMBER, $1, @1.first_line); if (!$$) YYNOMEM; }
        ;

list:           %empty           { $$ = conf_value_new(CONF_LIST, NULL, 0); if (!$$) YYNOMEM; }
        |       items
        |       items ','
        ;

items:          value            { $$ = conf_list_add(conf_value_new(CONF_LIST, NULL, @1.first_line), $1); if (!$$) YYNOMEM; }
        |       items ',' value  { $$ = conf_list_add($1, $3); if (!$$) YYNOMEM; }
        ;

%%

static void conf_yyerror(CONF_YYLTYPE *loc, void *scanner, struct conf_file *f, const char *what)
{
	(void)scanner;
	conf_complain(f, loc->first_line, what);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* serai help, serai version. `help --man` and `help --completion` feed the man page and the shell. */
#include "cli.h"

#include <string.h>

/* One verb as scdoc text. */
static void man_verb(const struct command *c)
{
	const char *o = c->options;

	printf("*%s* %s", c->name, *o ? "\\[options\\] " : "");
	for (const char *p = c->args; *p; p++)
		printf(strchr("_*[]<>", *p) ? "\\%c" : "%c", *p);
	printf("\n\t%s\n\n", c->help);
	while (*o) {
		size_t name = strcspn(o, "\t"), line = strcspn(o, "\n");

		printf("\t*%.*s*\n\t\t", (int)name, o);
		for (size_t i = name + 1; i < line; i++)
			printf(strchr("_*[]<>", o[i]) ? "\\%c" : "%c", o[i]);
		printf("\n\n");
		o += line + 1;
	}
	if (c->schema)
		printf("\t*--json*\n\t\tprint JSON: \"%s\" of *serai-json*(5)\n\n", c->schema);
}

static void completion(void)
{
	for (unsigned int i = 0; i < nr_commands; i++) {
		const struct command *c = &commands[i];
		const char *o = c->options;

		printf("%s:%s:%s--help", c->name, c->completes, c->schema ? "--json " : "");
		while (*o) {
			const char *l = strstr(o, "--");
			size_t line = strcspn(o, "\n");

			if (l && l < o + line)
				printf(" %.*s", (int)strcspn(l, "=\t"), l);
			o += line + 1;
		}
		putchar('\n');
	}
}

static struct json_object *verb_json(const struct command *c)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	const char *t = c->options;

	while (*t) {
		size_t name = strcspn(t, "\t"), line = strcspn(t, "\n");
		struct json_object *option = json_object_new_object();

		json_put(option, "option", json_object_new_string_len(t, (int)name));
		json_put(option, "help", json_object_new_string_len(t + name + 1, (int)(line - name - 1)));
		json_object_array_add(list, option);
		t += line + 1;
	}
	json_put(o, "verb", json_str(c->name));
	json_put(o, "operands", json_str(c->args));
	json_put(o, "help", json_str(c->help));
	json_put(o, "options", list);
	json_put(o, "schema", json_str(c->schema));
	return o;
}

static int help_json(const struct command *only)
{
	struct json_object *list = json_object_new_array();

	for (unsigned int i = 0; i < nr_commands; i++)
		if (!only || only == &commands[i])
			json_object_array_add(list, verb_json(&commands[i]));
	return print_json(list);
}

VERB(help)
{
	static const struct option opts[] = {{"man", 0, NULL, 'm'}, {"completion", 0, NULL, 'c'}, {0}};
	const struct command *c = NULL;
	int o;

	while ((o = cli_option(cli, argc, argv, "", opts)) != -1) {
		if (o == -2)
			return 1;
		if (o == 'c')
			return completion(), 0;
		for (unsigned int i = 0; i < nr_commands; i++)
			man_verb(&commands[i]);
		return 0;
	}
	if (optind < argc) {
		c = command_find(argv[optind]);
		if (!c)
			return serai_fail(&cli->s, -1, "there is no verb \"%s\"", argv[optind]);
	}
	if (cli->json)
		return help_json(c);
	if (c) {
		command_usage(c, stdout);
		return 0;
	}
	printf("Usage: serai [-v] [-N] [-f] [-H HOST] VERB [options] [operands]\n\n"
	       " -v  say more    -N  dry run    -f  force\n"
	       " -H HOST  on another host, by its seraid\n"
	       " --json on every verb that prints\n\nVerbs:\n");
	for (unsigned int i = 0; i < nr_commands; i++)
		printf(" %-19s %s\n", commands[i].name, commands[i].help);
	return 0;
}

VERB(version)
{
	struct json_object *o;

	if (cli_option(cli, argc, argv, "", NULL) == -2)
		return 1;
	if (!cli->json)
		return printf("serai %s\n", PACKAGE_VERSION) < 0;
	o = json_object_new_object();
	json_put(o, "version", json_str(PACKAGE_VERSION));
	return print_json(o);
}

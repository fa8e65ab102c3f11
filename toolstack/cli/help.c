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
}

VERB(help)
{
	const struct command *c;

	(void)cli;
	if (argc > 1 && !strcmp(argv[1], "--man")) {
		for (unsigned int i = 0; i < nr_commands; i++)
			man_verb(&commands[i]);
		return 0;
	}
	if (argc > 1 && !strcmp(argv[1], "--completion")) {
		for (unsigned int i = 0; i < nr_commands; i++) {
			const char *o = commands[i].options;

			printf("%s:%s:--json --help", commands[i].name, commands[i].completes);
			while (*o) {
				const char *l = strstr(o, "--");
				size_t line = strcspn(o, "\n");

				if (l && l < o + line)
					printf(" %.*s", (int)strcspn(l, "=\t"), l);
				o += line + 1;
			}
			putchar('\n');
		}
		return 0;
	}
	if (argc > 1) {
		c = command_find(argv[1]);
		if (!c)
			return serai_fail(&cli->s, -1, "there is no verb \"%s\"", argv[1]);
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

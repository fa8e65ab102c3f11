/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may do what: lines of a role and the common name of a certificate.
 *
 *	# role   name
 *	operate  Alice's laptop
 *	migrate  host2.example.org
 *
 * The file is read for every request: taking a line out takes the right away at once.
 */
#include "agent.h"

#include <ctype.h>
#include <string.h>

static const struct {
	const char *name;
	enum role role;
	unsigned int grants; /* who may operate may look */
} roles[] = {
	{"read", ROLE_READ, ROLE_READ},
	{"operate", ROLE_OPERATE, ROLE_READ | ROLE_OPERATE},
	{"migrate", ROLE_MIGRATE, ROLE_MIGRATE},
};

const char *role_name(enum role r)
{
	for (unsigned int i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (roles[i].role == r)
			return roles[i].name;
	return "?";
}

static unsigned int line_roles(char *line, const char *cn)
{
	size_t word, len;
	char *name;

	line += strspn(line, " \t");
	word = strcspn(line, " \t\r\n");
	if (!word || *line == '#')
		return 0;
	name = line + word;
	name += strspn(name, " \t");
	for (len = strlen(name); len && isspace((unsigned char)name[len - 1]); len--)
		;
	name[len] = 0;
	if (strcmp(name, cn))
		return 0;
	for (unsigned int i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (strlen(roles[i].name) == word && !memcmp(roles[i].name, line, word))
			return roles[i].grants;
	fprintf(stderr, "seraid: \"%.*s\" is no role\n", (int)word, line);
	return 0;
}

unsigned int roles_of(const char *file, const char *cn)
{
	unsigned int r = 0;
	char line[512];
	FILE *f = fopen(file, "re");

	if (!f) {
		fprintf(stderr, "seraid: %s: %m\n", file);
		return 0;
	}
	while (*cn && fgets(line, sizeof(line), f))
		r |= line_roles(line, cn);
	fclose(f);
	return r;
}

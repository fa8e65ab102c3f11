/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Libraries that most runs do without. Each costs a process a dozen mappings and its relocations before main()
 * (in a PV domain: hypercalls), so they are opened when something is to be done with them.
 *
 * LATE_NOTE leaves in the program what a NEEDED entry would: the ELF note .note.dlopen, by which packaging tools
 * (and tests/system) learn what to bring along.
 */
#ifndef XC_LATE_H
#define XC_LATE_H

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* One function, or variable, of such a library, and the pointer that will point to it. */
struct late {
	const char *name;
	void *to;
};

/* A row for FIELD of *table, which is called what the library calls it. */
#define LATE(table, field)                            \
	{                                             \
		.name = #field, .to = &(table)->field \
	}

/* Opens the library and finds all of it, or -ELIBACC. *handle is for dlclose(). */
static inline int late_open(const char *soname, const struct late *l, size_t n, void **handle)
{
	*handle = dlopen(soname, RTLD_NOW | RTLD_LOCAL);
	if (!*handle)
		return -ELIBACC;
	for (size_t i = 0; i < n; i++) {
		void *p = dlsym(*handle, l[i].name);

		if (!p) {
			dlclose(*handle);
			*handle = NULL;
			return -ELIBACC;
		}
		/* POSIX wants function pointers to fit into void *; C has no cast between them. */
		memcpy(l[i].to, &p, sizeof(p));
	}
	return 0;
}

#define LATE_NOTE_TYPE 0x407c0c0a

#define LATE_NOTE(tag, soname, what) \
	LATE_NOTE_(tag,              \
		   "[{\"feature\":\"" what "\",\"priority\":\"recommended\",\"soname\":[\"" soname "\"]}]")
#define LATE_NOTE_(tag, json)                                                            \
	__attribute__((used, section(".note.dlopen"), aligned(4))) static const struct { \
		uint32_t name_len, text_len, type;                                       \
		char name[4];                                                            \
		char text[(sizeof(json) + 3) & ~3ul];                                    \
	} late_note_##tag = {4, sizeof(json), LATE_NOTE_TYPE, "FDO", json}

#endif

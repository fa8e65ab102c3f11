/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernels are unpacked once, and again when they changed. */
#include "toolstack/lib/kernel.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xen/elfnote.h>
#include <zlib.h>

#include <cmocka.h>

static char root[64], cache[100], file[100];
static struct serai s;

/* The smallest PV kernel: one segment with `mark` in it, and a note that names the entry. */
struct image {
	Elf64_Ehdr e;
	Elf64_Phdr load, note;
	struct {
		Elf64_Nhdr h;
		char name[4];
		uint64_t entry;
	} n;
	char text[4096];
};

static void kernel_write(const char *path, const char *mark, bool note, bool pack)
{
	struct image m = {.e = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
				.e_type = ET_EXEC,
				.e_machine = EM_X86_64,
				.e_phoff = offsetof(struct image, load),
				.e_phentsize = sizeof(Elf64_Phdr),
				.e_phnum = 2},
			  .load = {.p_type = PT_LOAD,
				   .p_offset = offsetof(struct image, text),
				   .p_paddr = 0x100000,
				   .p_filesz = sizeof(m.text),
				   .p_memsz = sizeof(m.text)},
			  .note = {.p_type = note ? PT_NOTE : PT_NULL,
				   .p_offset = offsetof(struct image, n),
				   .p_filesz = sizeof(m.n)},
			  .n = {{4, 8, XEN_ELFNOTE_ENTRY}, "Xen", 0x100000}};
	gzFile g = gzopen(path, pack ? "wb" : "wbT");

	snprintf(m.text, sizeof(m.text), "%s", mark);
	assert_non_null(g);
	assert_int_equal(gzwrite(g, &m, sizeof(m)), sizeof(m));
	assert_int_equal(gzclose(g), Z_OK);
}

static unsigned int kept(void)
{
	char path[140];
	unsigned int n = 0;
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "%s/unpacked", cache);
	d = opendir(path);
	while (d && (e = readdir(d)))
		n += e->d_name[0] != '.';
	if (d)
		closedir(d);
	return n;
}

/* Opens it; says whether it came from the cache. */
static bool opened(const char *mark)
{
	struct kernel_file f;
	bool mapped;

	assert_int_equal(kernel_open(&s, file, true, &f), 0);
	assert_int_equal(f.k.nr_seg, 1);
	assert_int_equal(f.k.entry, 0x100000);
	assert_string_equal((const char *)f.k.seg[0].data, mark);
	mapped = f.mapped;
	kernel_close(&f);
	return mapped;
}

static void once(void **state)
{
	(void)state;
	kernel_write(file, "one", true, true);
	assert_false(opened("one"));
	assert_int_equal(kept(), 1);
	assert_true(opened("one"));
	assert_true(opened("one"));
}

static void changed(void **state)
{
	struct timespec t[2];
	struct stat st;

	(void)state;
	kernel_write(file, "one", true, true);
	(void)opened("one");
	assert_int_equal(stat(file, &st), 0);
	/* Written anew in place, of the same size and with its old time: the inode tells. */
	kernel_write(file, "two", true, true);
	t[0] = t[1] = st.st_mtim;
	assert_int_equal(utimensat(AT_FDCWD, file, t, 0), 0);
	assert_false(opened("two"));
	assert_true(opened("two"));
}

static void damaged(void **state)
{
	char command[300];

	(void)state;
	kernel_write(file, "three", true, true);
	(void)opened("three");
	snprintf(command, sizeof(command), "truncate -s 40 %s/unpacked/*", cache);
	assert_int_equal(system(command), 0);
	assert_false(opened("three"));
	assert_true(opened("three"));
}

static void not_all_are_kept(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 12; i++) {
		char mark[16];

		snprintf(mark, sizeof(mark), "number %u", i);
		kernel_write(file, mark, true, true);
		assert_false(opened(mark));
	}
	assert_int_equal(kept(), 8);
	assert_true(opened("number 11"));
}

/* What needs no unpacking is not kept, nor is what cannot be started; and no cache is no error. */
static void nothing_to_keep(void **state)
{
	unsigned int before = kept();
	struct kernel_file f;

	(void)state;
	kernel_write(file, "plain", true, false);
	assert_false(opened("plain"));
	kernel_write(file, "no notes", false, true);
	assert_int_equal(kernel_open(&s, file, true, &f), -ENOEXEC);
	assert_non_null(strstr(s.error, "no Xen notes"));
	assert_null(f.data);
	assert_int_equal(kept(), before);
	setenv("SERAI_CACHE_DIR", "/proc/nowhere", 1);
	kernel_write(file, "no cache", true, true);
	assert_false(opened("no cache"));
	assert_false(opened("no cache"));
	setenv("SERAI_CACHE_DIR", cache, 1);
	assert_int_equal(kernel_open(&s, "/nowhere/kernel", true, &f), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(once),
		cmocka_unit_test(changed),
		cmocka_unit_test(damaged),
		cmocka_unit_test(not_all_are_kept),
		cmocka_unit_test(nothing_to_keep),
	};
	const char *tmp = getenv("TMPDIR");
	char command[128];
	int rc;

	snprintf(root, sizeof(root), "%s/kernel.XXXXXX", tmp && strlen(tmp) < 40 ? tmp : "/tmp");
	if (!mkdtemp(root))
		return 1;
	snprintf(cache, sizeof(cache), "%s/cache", root);
	snprintf(file, sizeof(file), "%s/vmlinuz", root);
	setenv("SERAI_CACHE_DIR", cache, 1);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(command, sizeof(command), "rm -rf '%s'", root);
	return system(command) ? 1 : rc;
}

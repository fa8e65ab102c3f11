# SPDX-License-Identifier: GPL-2.0-or-later
# libFuzzer over page tables: `make fuzz-pgt`, then tests/fuzz/pgt_fuzz CORPUS $(srcdir)/tests/fuzz/corpus/pgt.
tests/fuzz/pgt_fuzz: $(srcdir)/tests/fuzz/pgt.c $(srcdir)/tests/unit/core/mm/world.c $(mm_core_sources:%=$(srcdir)/%)
	$(AM_V_CC)$(MKDIR_P) $(@D) && clang -fsanitize=fuzzer,address,undefined -O1 -g -std=gnu11 $(host_cppflags) \
		-D__XEN__ -D__XEN_TOOLS__ -I$(srcdir)/hypervisor/include -I$(srcdir)/hypervisor -o $@ $^
fuzz-pgt: tests/fuzz/pgt_fuzz
.PHONY: fuzz-pgt
EXTRA_DIST += tests/fuzz/corpus/pgt
CLEANFILES += tests/fuzz/pgt_fuzz

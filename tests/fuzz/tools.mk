# SPDX-License-Identifier: GPL-2.0-or-later
# `make fuzz-tools` builds the toolstack's libFuzzer programs with clang; run them with a corpus
# directory, e.g. tests/fuzz/fuzz_stream -max_total_time=60 corpus.
FUZZ_CC = clang -std=gnu11 -g -O1 -D_GNU_SOURCE -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -w
EXTRA_DIST += tests/fuzz/xlcfg.c tests/fuzz/stream.c tests/fuzz/kernel.c
if TOOLSTACK
fuzz_tools = tests/fuzz/fuzz_xlcfg tests/fuzz/fuzz_stream tests/fuzz/fuzz_kernel
CLEANFILES += $(fuzz_tools)
fuzz-tools: $(fuzz_tools)

fuzz_conf = $(srcdir)/toolstack/conf/settings.c $(srcdir)/toolstack/conf/model.c $(srcdir)/toolstack/conf/cpus.c \
	$(srcdir)/toolstack/conf/device.c $(srcdir)/toolstack/conf/cfg.c $(srcdir)/toolstack/conf/json.c \
	$(srcdir)/toolstack/conf/xml.c $(srcdir)/toolstack/conf/xml_write.c
tests/fuzz/fuzz_xlcfg: $(srcdir)/tests/fuzz/xlcfg.c $(fuzz_conf) toolstack/conf/grammar.h
	$(AM_V_at)$(MKDIR_P) tests/fuzz
	$(AM_V_GEN)cd $(builddir) && flex -o tests/fuzz/lexer.c $(srcdir)/toolstack/conf/lexer.l; \
		test -f lex.yy.c && mv lex.yy.c tests/fuzz/lexer.c; \
		bison -d -o toolstack/conf/grammar_fuzz.c $(srcdir)/toolstack/conf/grammar.y && \
		$(FUZZ_CC) $(toolstack_cppflags) -o $@ $(srcdir)/tests/fuzz/xlcfg.c $(fuzz_conf) tests/fuzz/lexer.c \
		toolstack/conf/grammar_fuzz.c $(JSONC_LIBS) $(LIBXML_LIBS)
tests/fuzz/fuzz_stream: $(srcdir)/tests/fuzz/stream.c $(srcdir)/toolstack/stream/reader.c
	$(AM_V_at)$(MKDIR_P) tests/fuzz
	$(AM_V_GEN)$(FUZZ_CC) $(toolstack_cppflags) -o $@ $(srcdir)/tests/fuzz/stream.c $(srcdir)/toolstack/stream/reader.c
tests/fuzz/fuzz_kernel: $(srcdir)/tests/fuzz/kernel.c
	$(AM_V_at)$(MKDIR_P) tests/fuzz
	$(AM_V_GEN)$(FUZZ_CC) $(libxc_cppflags) -o $@ $(srcdir)/tests/fuzz/kernel.c $(srcdir)/libxc/image/decompress.c \
		$(srcdir)/libxc/image/kernel.c $(LIBXC_LIBS)
endif

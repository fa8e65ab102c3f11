# SPDX-License-Identifier: GPL-2.0-or-later
# Test kernels: lib/ plus one file of cases each, built from guest-headers/ alone.
EXTRA_DIST += tests/latency tests/guests

guest_kernels = start version hypercalls traps syscall iret upcalls segments pagetables emulation \
	evtchn grants memory sched vcpu time fpu x87 fpuload console control rows hostile neighbour suspend x87save xmask
guest_cppflags = -I$(top_srcdir)/guest-headers -I$(top_srcdir)/tests/guests/include
guest_cflags = -std=gnu11 -O2 -g $(GUEST_PLAIN) -ffreestanding -fno-builtin -fno-pic -mcmodel=kernel \
	-mno-red-zone -mno-sse -mno-mmx -mno-80387 -fno-stack-protector \
	-fno-asynchronous-unwind-tables -fcf-protection=none \
	-Wall -Wextra -Werror -Wno-unused-value -Wno-gnu-variable-sized-type-not-at-end \
	-Wno-unused-command-line-argument -MMD -MP
guest_lib = start entry probe string console report trap mm event user vcpu xenstore suspend
guest_lib_objects = $(guest_lib:%=tests/guests/lib/%.o)
guest_images = $(guest_kernels:%=tests/guests/%.elf) tests/guests/bench.elf tests/guests/bench-load.elf \
	tests/guests/traffic.elf tests/guests/example.elf

tests/guests/lib/%.o: $(srcdir)/tests/guests/lib/%.S
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(CC) $(guest_cppflags) $(guest_cflags) -c -o $@ $<
tests/guests/lib/%.o: $(srcdir)/tests/guests/lib/%.c
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(CC) $(guest_cppflags) $(guest_cflags) -c -o $@ $<
tests/guests/abi/%.o: $(srcdir)/tests/guests/abi/%.c Makefile
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(CC) $(guest_cppflags) $(guest_cflags) -c -o $@ $<
tests/guests/%.elf: tests/guests/abi/%.o $(guest_lib_objects) $(srcdir)/tests/guests/guest.lds
	$(AM_V_CCLD)$(LD) -n --no-warn-rwx-segments -T $(srcdir)/tests/guests/guest.lds -o $@ \
		$< $(guest_lib_objects)
tests/guests/hostile/%.o: $(srcdir)/tests/guests/hostile/%.c Makefile
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(CC) $(guest_cppflags) $(guest_cflags) -c -o $@ $<
guest_hostile_objects = $(patsubst %,tests/guests/hostile/%.o,tables calls insns)
tests/guests/hostile.elf: tests/guests/abi/hostile.o $(guest_hostile_objects) $(guest_lib_objects) \
		$(srcdir)/tests/guests/guest.lds
	$(AM_V_CCLD)$(LD) -n --no-warn-rwx-segments -T $(srcdir)/tests/guests/guest.lds -o $@ \
		$< $(guest_hostile_objects) $(guest_lib_objects)
tests/guests/bench/%.o: $(srcdir)/tests/guests/bench/%.c Makefile
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(CC) $(guest_cppflags) $(guest_cflags) -c -o $@ $<
tests/guests/bench/%.o: $(srcdir)/tests/guests/bench/%.S Makefile
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(CC) $(guest_cppflags) $(guest_cflags) -c -o $@ $<
guest_bench = main calls traps user mm events grants vcpus entry
guest_bench_objects = $(guest_bench:%=tests/guests/bench/%.o)
tests/guests/load/load.o: $(srcdir)/tests/guests/load/load.c Makefile
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(CC) $(guest_cppflags) $(guest_cflags) -c -o $@ $<
tests/guests/bench-load.elf: tests/guests/load/load.o $(guest_lib_objects) $(srcdir)/tests/guests/guest.lds
	$(AM_V_CCLD)$(LD) -n --no-warn-rwx-segments -T $(srcdir)/tests/guests/guest.lds -o $@ \
		tests/guests/load/load.o $(guest_lib_objects)
tests/guests/load/traffic.o: $(srcdir)/tests/guests/load/traffic.c Makefile
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(CC) $(guest_cppflags) $(guest_cflags) -c -o $@ $<
tests/guests/traffic.elf: tests/guests/load/traffic.o $(guest_lib_objects) $(srcdir)/tests/guests/guest.lds
	$(AM_V_CCLD)$(LD) -n --no-warn-rwx-segments -T $(srcdir)/tests/guests/guest.lds -o $@ \
		tests/guests/load/traffic.o $(guest_lib_objects)
tests/guests/bench.elf: $(guest_bench_objects) $(guest_lib_objects)
	$(AM_V_CCLD)$(LD) -n --no-warn-rwx-segments -T $(srcdir)/tests/guests/guest.lds -o $@ \
		$(guest_bench_objects) $(guest_lib_objects)
tests/guests/example/%.o: $(srcdir)/tests/guests/example/%.c Makefile
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(CC) -I$(top_srcdir)/guest-headers $(guest_cflags) -c -o $@ $<
tests/guests/example/%.o: $(srcdir)/tests/guests/example/%.S Makefile
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(CC) -I$(top_srcdir)/guest-headers $(guest_cflags) -c -o $@ $<
guest_example_objects = tests/guests/example/head.o tests/guests/example/example.o
tests/guests/example.elf: $(guest_example_objects) $(srcdir)/tests/guests/example/example.lds
	$(AM_V_CCLD)$(LD) -n --no-warn-rwx-segments -T $(srcdir)/tests/guests/example/example.lds -o $@ \
		$(guest_example_objects)
.PRECIOUS: tests/guests/abi/%.o tests/guests/lib/%.o

noinst_DATA += $(guest_images)
guests: $(guest_images)
.PHONY: guests
clean-local: clean-guests
clean-guests:
	rm -rf tests/guests/lib tests/guests/abi tests/guests/bench tests/guests/load tests/guests/example \
		tests/guests/hostile \
		tests/guests/*.elf
.PHONY: clean-guests
-include $(wildcard tests/guests/hostile/*.d tests/guests/lib/*.d tests/guests/abi/*.d tests/guests/bench/*.d)

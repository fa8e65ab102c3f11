# SPDX-License-Identifier: GPL-2.0-or-later
# The image. Sources come from one fragment a room: core_sources (pure, also built hosted for tests) and
# hv_sources (the rest).
core_sources =
hv_sources =
include $(top_srcdir)/hypervisor/lead.mk
include $(top_srcdir)/hypervisor/mm.mk
include $(top_srcdir)/hypervisor/event.mk
include $(top_srcdir)/hypervisor/grant.mk
include $(top_srcdir)/hypervisor/sched.mk
include $(top_srcdir)/hypervisor/plat.mk
include $(top_srcdir)/hypervisor/xstate.mk
include $(top_srcdir)/hypervisor/cpuid.mk
include $(top_srcdir)/hypervisor/emulate.mk
include $(top_srcdir)/hypervisor/ctl.mk

hv_cppflags = -I$(top_srcdir)/hypervisor/include -I$(top_srcdir)/hypervisor -I$(top_builddir)/hypervisor/include \
	-I$(top_srcdir)/guest-headers -D__XEN__ -D__XEN_TOOLS__ -include $(top_srcdir)/hypervisor/include/visibility.h
hv_target = -m64 -march=x86-64 -mno-red-zone -mno-mmx -mno-sse -mno-sse2 -mno-80387 -ffreestanding -fno-stack-protector \
	-fpie -fno-common -fno-asynchronous-unwind-tables -fno-omit-frame-pointer -fcf-protection=none -fno-strict-aliasing \
	-fno-delete-null-pointer-checks -ffunction-sections -fdata-sections
hv_cflags = -std=gnu11 -O2 -g $(hv_target) $(RETPOLINE) -Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wvla -Wno-unused-parameter

if DEBUG_BUILD
hv_cppflags += -DSERAI_ASSERT=1 -DSERAI_LOCK_RANK=1
else
hv_cppflags += -DSERAI_ASSERT=0
endif

noinst_PROGRAMS += hypervisor/serai.elf
hypervisor_serai_elf_SOURCES = $(core_sources) $(hv_sources)
hypervisor_serai_elf_CPPFLAGS = $(hv_cppflags)
hypervisor_serai_elf_CFLAGS = $(hv_cflags)
hypervisor_serai_elf_CCASFLAGS = $(hv_cppflags) $(hv_target) -g -D__ASSEMBLY__
hypervisor_serai_elf_LDFLAGS = -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,-z,noexecstack \
	-Wl,--no-warn-rwx-segments -Wl,--gc-sections -Wl,--no-relax -Wl,-T,$(top_srcdir)/hypervisor/x86/boot/image.lds
# Unpacking of dom0 kernels: static libraries of the build host.
hypervisor_serai_elf_LDADD = -llzma -lzstd -lz -llz4 -lgcc
# Linked, then given its own symbol table.
hypervisor_serai_elf_LINK = $(SHELL) $(top_srcdir)/hypervisor/link-image.sh "$(NM)" $@ \
	$(CCLD) $(hypervisor_serai_elf_CFLAGS) $(CFLAGS) $(hypervisor_serai_elf_LDFLAGS) $(LDFLAGS) -o $@
EXTRA_DIST += hypervisor/link-image.sh
EXTRA_hypervisor_serai_elf_DEPENDENCIES = $(top_srcdir)/hypervisor/link-image.sh $(top_srcdir)/hypervisor/x86/boot/image.lds

# Compiles every object of the image without linking it.
hv-objects: $(hypervisor_serai_elf_OBJECTS)
.PHONY: hv-objects

# /boot/xen-serai.gz is the name GRUB's 20_linux_xen looks for.
install-exec-hook-image: hypervisor/serai.elf
	$(MKDIR_P) $(DESTDIR)/boot
	gzip -9 -n -c hypervisor/serai.elf > $(DESTDIR)/boot/xen-serai.gz
install-exec-local: install-exec-hook-image
.PHONY: install-exec-hook-image

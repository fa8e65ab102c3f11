# SPDX-License-Identifier: GPL-2.0-or-later
core_sources += hypervisor/core/domain/rangeset.c

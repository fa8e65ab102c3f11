# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# stress-ng in dom0: what PV memory management, timers and scheduling have to stand.
. /lab/lib.sh
free_before=$(xl info free_memory)
check "stress-ng for $LAB_STRESS s" stress-ng --timeout "$LAB_STRESS" --fork 1 --vm 1 --vm-bytes 64M \
	--mmap 1 --mmap-bytes 32M --futex 1 --timer 1 --timer-freq 1000 --sock 1 --cpu 1 --metrics-brief
check "nothing of the hypervisor's memory went" test "$(xl info free_memory)" = "$free_before"
check "no kernel warning" sh -c "! dmesg | grep -E '$LAB_TROUBLE'"

# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Many small guests at once, all making progress; then none, and nothing lost.
. /lab/lib.sh
n=${LAB_GUESTS:-24}
free_before=$(xl info free_memory)
for i in $(seq "$n"); do
	guest_config "c$i"
	xl create -q "c$i.cfg" || not_ok "create c$i"
done
check_out "$n guests are listed" "^$n\$" sh -c "xl list | grep -c '^c[0-9]'"
up=0
for i in $(seq "$n"); do guest_ticks "c$i" 2 120 && up=$((up + 1)); done
check "all $n are up ($up)" test "$up" = "$n"
last() { sed -n 's/^tick \([0-9]*\) .*/\1/p' "/var/log/xen/console/guest-$1.log" | tail -n 1; }
for i in $(seq "$n"); do before[i]=$(last "c$i"); done
moving=0
_moved() { [ "$(last "$1")" -gt "$2" ]; }
for i in $(seq "$n"); do until_true 60 _moved "c$i" "${before[i]}" && moving=$((moving + 1)); done
check "all $n make progress ($moving)" test "$moving" = "$n"
for i in $(seq "$n"); do xl destroy "c$i" || not_ok "destroy c$i"; done
freed "$free_before"

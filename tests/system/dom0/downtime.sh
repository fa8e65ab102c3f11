# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# How long a live move stops a guest that rewrites memory at three rates, and whether a limit on that is kept, or the
# move refused with the guest running on. One host: guest, stream and both its ends have
# one CPU, of 10^9 instructions a second (icount), whatever else the build host does.
. /lab/lib.sh
budget=${LAB_BUDGET:-300}
here=g1
other() { [ $here = g1 ] && echo g2 || echo g1; }
logs() { cat /var/log/xen/console/guest-g?*.log; }
last() { logs | grep -ao 'tick [0-9]* ' | cut -d' ' -f2 | sort -n | tail -n 1; }
now() { cut -d' ' -f1 /proc/uptime; }
# Where the time went, as serai -v says it.
phases() { sed -n 's/.*\(suspended\|last pages sent\|built\) after \([0-9]*\) ms.*/\1 \2/p' <<<"$out" | tr "\\n" " "; }
rounds() { logs | grep -ac 'memory round'; }
_counts_on() { [ "$(last)" -gt "$1" ]; }
figure() { sed -n "s/.*\"$1\": *\"\{0,1\}\([-0-9.a-z]*\).*/\1/p" <<<"$out" | head -n 1; }
# move NAME OPTION...: into $rc and $out; the guest counts on, wherever it is, and is in one place.
move() {
	local name=$1 at
	shift
	at=$(last)
	out=$(serai -v migrate --json -C "$(other).cfg" -s '' "$@" $here 'exec serai -v migrate-receive' 2>&1)
	rc=$?
	[ $rc != 0 ] || here=$(other)
	check "$name: it is in one place" eval 'serai domid $here && ! serai domid "$(other)"'
	check "$name: it counts on" until_true 60 _counts_on "$at"
}

guest_config g1 "memory=128"
cp g1.cfg base.cfg
for rate in ${LAB_RATES:-1,1 4,0.5 16,0}; do
	dirty=${rate%,*} pace=${rate#*,} here=g1
	rm -f /var/log/xen/console/guest-g?*.log
	sed "s/lab.name=g1/lab.name=g lab.dirty=$dirty lab.pace=$pace/" base.cfg >g1.cfg
	sed "s/g1/g2/" g1.cfg >g2.cfg
	check "create" serai create g1.cfg || exit
	check "it writes" until_true 60 eval '[ "$(rounds)" -ge 2 ]' || exit
	n=$(rounds) start=$(now)
	check "it goes on writing" until_true 60 eval '[ "$(rounds)" -ge $((n + 3)) ]' || exit
	name=$(awk -v n=$((($(rounds) - n) * 2 * dirty)) -v s="$start" -v e="$(now)" 'BEGIN { printf "%.1f MiB/s written, %d MiB of memory", n / (e - s), '$((2 * dirty))' }')
	move "$name"
	check "$name: moved" test $rc = 0 || { printf '%s\n' "$out"; exit; }
	info "receiver" "$(grep -a ' page tables written' <<<"$out")"
	info "$name" "$(figure downtime_ms) ms down ($(phases)), $(figure rounds) rounds, $(figure bytes) bytes, $(figure seconds) s in all"
	move "$name, at most $budget ms" --downtime-ms "$budget"
	if [ $rc = 0 ]; then
		down=$(figure downtime_ms)
		info "$name, at most $budget ms" "$down ms down ($(phases)), $(figure rounds) rounds, $(figure seconds) s in all"
		check "$name: the limit is kept" test "${down%.*}" -le "$budget"
	else
		info "$name, at most $budget ms" "refused: $(grep -a '^serai migrate:' <<<"$out" | tail -n 1)"
		check "$name: refused for the limit" grep -Eq 'were allowed' <<<"$out"
	fi
	check "its memory was right" test "$(logs | grep -ac differs)" = 0
	check "it started once" test "$(logs | grep -ac 'guest up')" = 1
	check "destroy" serai destroy $here
done

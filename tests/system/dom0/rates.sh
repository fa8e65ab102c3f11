# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Saving and restoring, beside Debian's xl on the same host: MiB of the guest's memory in a thousand million
# instructions. The machine counts instructions (icount), one a nanosecond, and dom0 has the only CPU: what passes
# while dom0 is not idle is what the tool, its kernel and the hypervisor took. The file is in memory.
. /lab/lib.sh
mib=${LAB_MIB:-256}
guest_config g1 "memory=$mib"
sed -i "s/lab.name=g1/& lab.fill=${LAB_FILL:-128}/" g1.cfg
check "create" serai create g1.cfg || exit
check "its memory is full" guest_ticks g1 2 200 || exit
# busy: hundredths of a second since the start in which dom0 was not idle
busy() { awk '{ printf "%d", ($1 - $2) * 100 }' /proc/uptime; }
# spent NAME COMMAND...: into $took, and a line
spent() {
	local name=$1 b
	shift
	b=$(busy)
	check "$name" "$@" || exit
	took=$(($(busy) - b))
	info "$name" "$took e7 instructions, $((mib * 100 / took)) MiB in 1e9"
}
last() { grep -aoh 'tick [0-9]* ' /var/log/xen/console/guest-g1*.log | cut -d' ' -f2 | sort -n | tail -n 1; }
_counts_on() { [ "$(last)" -gt "$1" ]; }
declare -A sum
for n in $(seq "${LAB_TIMES:-2}"); do
	for tool in ${LAB_TOOLS:-xl serai}; do
		spent "${tool}_save_$n" $tool save g1 /tmp/image
		sum[save_$tool]=$((${sum[save_$tool]:-0} + took))
		info "${tool}_image_$n" "$(stat -c %s /tmp/image)"
		spent "${tool}_restore_$n" $tool restore -p /tmp/image
		sum[restore_$tool]=$((${sum[restore_$tool]:-0} + took))
		rm /tmp/image
		at=$(last)
		check "it runs on" xl unpause g1
		check "it counts on" until_true 60 _counts_on "$at" || exit
	done
done
for what in save restore; do
	info $what "xl $((mib * 100 * n / sum[${what}_xl])), serai $((mib * 100 * n / sum[${what}_serai])) MiB in 1e9 instructions"
	percent=$((sum[${what}_xl] * 100 / sum[${what}_serai]))
	check "$what: serai does $percent % of what xl does in as many instructions" test $percent -ge "${LAB_LEAST:-100}"
done
check "destroy" xl destroy g1

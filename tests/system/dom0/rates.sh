# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Saving and restoring, beside Debian's xl on the same host: MiB of the guest's memory in a thousand million
# instructions. The machine counts instructions (icount), one a nanosecond, and dom0 has the only CPU: what passes
# while dom0 is not idle is what the tool, its kernel and the hypervisor took. The file is in memory, and its pages are
# most of what a save takes, whoever writes it: a checkpoint into /dev/null is measured beside it. Two guests, which
# differ by LAB_FILL MiB that are not zero: what those take is told apart from what every save takes.
. /lab/lib.sh
fill=${LAB_FILL:-128} small=${LAB_MIB:-96}
logs() { cat /var/log/xen/console/guest-g1*.log; }
last() { logs | grep -ao 'tick [0-9]* ' | cut -d' ' -f2 | sort -n | tail -n 1; }
_counts_on() { [ "$(last)" -gt "$1" ]; }
# busy: hundredths of a second since the start in which dom0 was not idle
busy() { awk '{ printf "%d", ($1 - $2) * 100 }' /proc/uptime; }
declare -A sum
# spent KIND NAME COMMAND...: adds to sum[KIND] what it took, in 10^7 instructions
spent() {
	local kind=$1 name=$2 b took
	shift 2
	b=$(busy)
	check "$name" "$@" || exit
	took=$(($(busy) - b))
	sum[$kind]=$((${sum[$kind]:-0} + took))
	info "$name" "$took e7 instructions"
}
# cycles SIZE: each tool saves and restores the guest
cycles() {
	local tool at
	for _ in $(seq "${LAB_TIMES:-2}"); do
		for tool in ${LAB_TOOLS:-xl serai}; do
			at=$(last)
			spent "${tool}_checkpoint_$1" "$tool: checkpoint to nowhere, $1 MiB" $tool save -c g1 /dev/null
			check "it counts on" until_true 60 _counts_on "$at" || exit
			spent "${tool}_save_$1" "$tool: save, $1 MiB" $tool save g1 /tmp/image
			spent "${tool}_restore_$1" "$tool: restore, $1 MiB" $tool restore -p /tmp/image
			rm /tmp/image
			at=$(last)
			check "it runs on" xl unpause g1
			check "it counts on" until_true 60 _counts_on "$at" || exit
		done
	done
}
guest_config g1
for size in $small $((small + fill)); do
	sed -i "s/^memory=.*/memory=$size/; s/lab.name=g1.*/lab.name=g1 lab.fill=$((size - small))'/" g1.cfg
	rm -f /var/log/xen/console/guest-g1*.log
	check "create" serai create g1.cfg || exit
	check "its memory is full" guest_ticks g1 2 200 || exit
	cycles "$size"
	check "destroy" xl destroy g1
done
times=${LAB_TIMES:-2}
for what in checkpoint save restore; do
	declare -A rate=()
	for tool in ${LAB_TOOLS:-xl serai}; do
		all=${sum[${tool}_${what}_$size]} more=$((${sum[${tool}_${what}_$size]} - ${sum[${tool}_${what}_$small]}))
		rate[$tool]=$((size * 100 * times / all))
		info "${what}_$tool" "${rate[$tool]} MiB in 1e9 instructions, from exec to exit; $((fill * 100 * times / more)) of a larger guest's further memory"
	done
	percent=$((${rate[serai]} * 100 / ${rate[xl]}))
	check "$what: serai does $percent % of what xl does in as many instructions" test $percent -ge "${LAB_LEAST:-120}"
done

# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Shares, caps and wake-up delays, measured with guests that do nothing but compute or sleep.
# dom0 stays on CPU 0; the guests use CPU 1, or 1 and 2.
. /lab/lib.sh

# load NAME CASE CPUS VCPUS: a guest of tests/guests/load.
load() {
	printf '%s\n' "name='$1'" "type='pv'" "kernel='/guests/load.elf'" "extra='only=$2'" \
		"memory=16" "cpus='$3'" "vcpus=$4" "on_crash='destroy'" >"/root/$1.cfg"
	check "create $1 ($2)" xl create "/root/$1.cfg"
}
uptime_tenths() { awk '{ printf "%d\n", $1 * 10 + 0.5 }' /proc/uptime; }
# gained SECONDS NAME...: what each used meanwhile, and what passed, in tenths: "a b ... passed"
gained() {
	local secs=$1 n
	local -A from
	shift
	snapshot "$@"
	for n in "$@" t; do from[$n]=${snap[$n]}; done
	sleep "$secs"
	snapshot "$@"
	for n in "$@" t; do printf '%d ' $((snap[$n] - from[$n])); done
	echo
}
# All times used so far, of one moment, and that moment.
snapshot() {
	local n list
	declare -gA snap
	list=$(xl list)
	snap[t]=$(uptime_tenths)
	for n in "$@"; do
		snap[$n]=$(awk -v n="$n" '$1 == n { printf "%d\n", $6 * 10 + 0.5 }' <<<"$list")
	done
}
# within VALUE WANT TOLERANCE, all integers
within() {
	[ $(($1 - $2)) -le "$3" ] && [ $(($2 - $1)) -le "$3" ] && return
	echo "$1 is not within $3 of $2"
	return 1
}

check "dom0 moves to CPU 0" xl vcpu-pin 0 all 0

load a hog 1 1 || exit
load b hog 1 1 || exit
check "weights 256 and 512" sh -c 'xl sched-credit2 -d a -w 256 && xl sched-credit2 -d b -w 512'
sleep 2
read -r a b t < <(gained 20 a b)
info weights_one_cpu "$a:$b tenths in $t"
check "512 gets twice what 256 gets, within 5 %" within $((b * 100 / a)) 200 10
check "together they get the whole CPU" test $(((a + b) * 100 / t)) -ge 85

check "cap 40 on one of them" xl sched-credit2 -d b -c 40
sleep 2
read -r a b t < <(gained 20 a b)
info cap_40 "$b tenths in $t, the other $a"
# Of what both used, which is all there was: the clocks of a busy emulator say less about so short a time.
check "it gets 40 %, within 2 points" within $((b * 1000 / (a + b))) 400 20
check "cap off" xl sched-credit2 -d b -c 0

load s sleeper 1 1 || exit
sleep 15
log=$(guest_log s | grep '^late ')
rounds=$(wc -l <<<"$log")
mean=$(awk '{ print $2 }' <<<"$log" | sort -n | head -n 1)
worst=$(awk '{ print $3 }' <<<"$log" | sort -n | head -n 1)
info sleeper_beside_two_hogs "best of $rounds rounds of 100: mean $mean us, worst $worst us"
# How late exactly, tests/latency says; here only that it does not starve.
check "a sleeper wakes within 10 ms on average" test "$mean" -le 10000
check "and within 100 ms always" test "$worst" -le 100000
xl destroy s

check "a and b on two CPUs" sh -c 'xl destroy a; xl destroy b'
load a hog 1-2 2 || exit
load b hog 1-2 2 || exit
check "weights 256 and 512 again" sh -c 'xl sched-credit2 -d a -w 256; xl sched-credit2 -d b -w 512'
sleep 3
read -r a b t < <(gained 20 a b)
info weights_two_cpus "$a:$b tenths in $t"
check "on two CPUs: twice as much, within 5 %" within $((b * 100 / a)) 200 10
load c hog 1-2 1 || exit
xl vcpu-pin a all 1
sleep 2
check "a pinned vCPU stays where it is" sh -c "! xl vcpu-list a | awk 'NR > 1 { print \$4 }' | grep -v 1"

if [ "$LAB_HYPERVISOR" != xen ]; then
	# By what they used: a list shows one vCPU after another, and between two looks they change places.
	check "CPU 2 goes off line" xen-hptool cpu-offline 2
	read -r a b c t < <(gained 5 a b c)
	info cpu_2_off "$a, $b and $c tenths in $t"
	check "all go on" test "$a" -gt 0 -a "$b" -gt 0 -a "$c" -gt 0
	check "with one CPU between them" within $(((a + b + c) * 100 / t)) 95 10
	check "and comes back" xen-hptool cpu-online 2
	read -r a b c t < <(gained 5 a b c)
	info cpu_2_back "$a, $b and $c tenths in $t"
	check "and is used" within $(((a + b + c) * 100 / t)) 190 15
fi
for g in a b c; do xl destroy $g; done
xl vcpu-pin 0 all all

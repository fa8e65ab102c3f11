# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Shares of a processor: weights, a cap, and how long a sleeper waits beside hogs.
. /lab/lib.sh
span=${LAB_SPAN:-20}
# The guests have CPU 1 for themselves, dom0 keeps to CPU 0.
xl vcpu-pin 0 all 0
for g in h1 h2; do
	guest_config $g "cpus='1'"
	sed -i "s/lab.name=$g/& lab.load=1/" $g.cfg
	check "create $g" xl create $g.cfg || exit
	check "$g is up" guest_says $g "guest up" || exit
done
# measure: processor seconds that h1 and h2 use in the span, and the span as it was.
measure() {
	local a b
	a=$(used)
	sleep "$span"
	b=$(used)
	printf '%s\n%s\n' "$a" "$b" | awk '{ for (i = 1; i <= NF; i++) v[NR, i] = $i } END { for (i = 1; i <= 3; i++) printf "%s ", v[2, i] - v[1, i] }'
}
used() { xl vcpu-list | awk '/^h1 / { a = $6 } /^h2 / { b = $6 } END { getline t < "/proc/uptime"; split(t, u); printf "%s %s %s", a, b, u[1] }'; }

xl sched-credit2 -d h1 -w 256
xl sched-credit2 -d h2 -w 512
sleep 2
read -r one two _ <<<"$(measure)"
ratio=$(awk -v a="$one" -v b="$two" 'BEGIN { printf "%.3f", a ? b / a : 0 }')
info weights_256_512_ratio "$ratio"
check "weights 256:512 share 1:2 within 5 % ($one s, $two s)" \
	awk -v r="$ratio" 'BEGIN { exit !(r > 1.9 && r < 2.1) }'

xl sched-credit2 -d h2 -w 256
xl pause h1
xl sched-credit2 -d h2 -c 40
sleep 2
read -r _ two time <<<"$(measure)"
percent=$(awk -v a="$two" -v t="$time" 'BEGIN { printf "%.1f", 100 * a / t }')
info cap_40_percent "$percent"
check "a cap of 40 % holds within 2 points ($percent %)" \
	awk -v p="$percent" 'BEGIN { exit !(p > 38 && p < 42) }'
xl sched-credit2 -d h2 -c 0
xl unpause h1

# A third guest that sleeps a second at a time beside the two hogs: its clock says how late it wakes. A line that
# something else on the console cut short is missing here, so lateness is counted by the ticks' numbers.
guest_config s1 "cpus='1'"
check "create the sleeper" xl create s1.cfg
check "the sleeper counts" guest_ticks s1 10 60
late=$(awk '/^tick/ { if (n) { d = $3 - p - ($2 - n); if (d > m) m = d } n = $2; p = $3 } END { printf "%.0f", m * 1000 }' /var/log/xen/console/guest-s1.log)
info sleeper_late_ms "$late"
check "it wakes within 200 ms of its time ($late ms)" test "$late" -lt 200
for g in h1 h2 s1; do xl destroy $g; done

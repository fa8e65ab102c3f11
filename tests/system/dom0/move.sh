# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A Debian guest on a shared disk moves between two hosts, live, over ssh, with serai: LAB_TIMES times to b
# and back. It counts aloud, holds one TCP connection to a, rewrites memory and writes its disk with checksums.
. /lab/lib.sh
ip=192.168.77.50
on_b() { in_guest 192.168.77.2 "$*"; }
# on HOST COMMAND
on() { if [ "$1" = a ]; then eval "$2"; else in_guest 192.168.77.2 "$2"; fi; }
here=a
console=/var/log/xen/console/guest-deb.log
both_logs() { cat $console; on_b "cat $console 2>/dev/null"; }

check "b answers" until_true 90 on_b true || exit
check "ssh to b" until_true 60 ssh b true || exit
check "ssh from b" on_b "ssh -n a true" || exit
debian_config deb $ip "vcpus=${LAB_VCPUS:-1}"
sed -i 's/10.0.2.2:/:/' deb.cfg
check "create" serai create deb.cfg || exit
check "login" guest_says deb "debian login:" 150 || exit
check "a shell in it" until_true 60 in_guest $ip true || exit

# One connection, opened now, and nobody listens for a second one.
socat -u TCP-LISTEN:9100,reuseaddr OPEN:/tmp/lines,creat,trunc &
in_guest $ip "cat >/root/work <<'EOF'
#!/bin/bash
# tick N UPTIME SECONDS: both clocks, on the console and through the connection
count() {
	n=0
	while :; do
		n=\$((n + 1))
		line=\"tick \$n \$(cut -d' ' -f1 /proc/uptime) \$(date +%s.%N)\"
		echo \"\$line\" >/dev/hvc0
		echo \"\$line\"
		sleep 0.2
	done
}
disk() {
	n=0
	while :; do
		n=\$((n + 1))
		head -c 262144 /dev/urandom >/root/d\$((n % 16))
		md5sum </root/d\$((n % 16)) >/root/d\$((n % 16)).sum
		sync
		echo 1 >/proc/sys/vm/drop_caches
		for f in /root/d? /root/d??; do
			[ -e \$f.sum ] && { md5sum <\$f | cmp -s - \$f.sum || echo \"\$f differs\" >>/root/wrong; }
		done
		echo \$n >/root/disk_rounds
		sleep 0.5
	done
}
memory() {
	n=0
	while :; do
		n=\$((n + 1))
		tr '\\0' \"\\\\\$((n % 8 + 60))\" </dev/zero | head -c 2097152 >/dev/shm/dirty
		cp /dev/shm/dirty /dev/shm/copy
		cmp /dev/shm/dirty /dev/shm/copy || echo \"memory differs\" >>/root/wrong
		echo \$n >/dev/shm/rounds
		sleep 0.5
	done
}
disk & memory &
count | socat -u - TCP:192.168.77.1:9100
EOF
chmod +x /root/work; dmesg -C; setsid /root/work >/dev/null 2>&1 </dev/null &" || not_ok "the work in the guest starts"
lines() { grep -c '^tick' /tmp/lines; }
_grown() { [ "$(lines)" -gt "$1" ]; }
check "it counts" until_true 60 _grown 5 || exit
figure() { sed -n "s/.*\"$1\": *\"\{0,1\}\([-0-9.a-z]*\).*/\1/p" <<<"$out" | head -n 1; }
now() { cut -d' ' -f1 /proc/uptime; }
for n in $(seq $((2 * ${LAB_TIMES:-1}))); do
	there=$([ $here = a ] && echo b || echo a)
	out=$(on $here "serai migrate --json ${LAB_OPTIONS:-} deb $there 2>&1")
	rc=$?
	[ $rc = 0 ] || printf '%s\n' "$out"
	check "move $n, $here to $there" test $rc = 0 || exit
	info "move$n" "$(figure downtime_ms) ms down, $(figure rounds) rounds, $(figure bytes) bytes, $(figure seconds) s in all"
	at=$(lines)
	check "move $n: it counts on" until_true 60 _grown $((at + 3))
	check_out "move $n: $there has it" '^deb ' on $there "serai list"
	check "move $n: $here has not" on $here '! serai domid deb'
	here=$there
done
check "the work goes on" in_guest $ip "pgrep -f /root/work" || exit
check "disk and memory were right all the time" in_guest $ip "cat /root/wrong 2>/dev/null; [ ! -e /root/wrong ]"
check_out "it wrote its disk all the time" '^[1-9]' in_guest $ip "cat /root/disk_rounds"
check "no warning in the guest" in_guest $ip "! dmesg | grep -E '$kernel_trouble'"
cp /tmp/lines /tmp/seen
check "no line of the connection was lost" awk '/^tick/ && $2 != ++n { print; bad = 1 } END { exit bad || n < 20 }' <(sed '$d' /tmp/seen)
check "its clocks never went back" awk '{ if ($3 < u || $4 < t) { print; bad = 1 } u = $3; t = $4 } END { exit bad }' <(sed '$d' /tmp/seen)
info longest_gap_s "$(awk 'NR > 1 && $4 - t > g { g = $4 - t } { t = $4 } END { print g }' <(sed '$d' /tmp/seen))"
info ticks "$(lines)"
check "it started once" test "$(both_logs | grep -c 'debian login:')" = 1
check "destroy" on $here "serai destroy deb"
_clean() { [ "$(serai list | wc -l)" = 2 ] && on_b '[ "$(serai list | wc -l)" = 2 ]'; }
check "no domain is left on either" until_true 20 _clean

# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Xen's verify-stream-v2 (on the build host, by way of its web server) accepts what serai writes: a saved domain, a
# checkpoint and a live stream; Debian's xl restores the first and saves it again, and serai takes that.
. /lab/lib.sh
mount -t tmpfs -o size=600M tmp /tmp
guest_config g1 "vcpus=${LAB_VCPUS:-2}"
sed -i "s/lab.name=g1/& lab.dirty=4/" g1.cfg
sed "s/g1/g2/" g1.cfg >g2.cfg
log() { cat /var/log/xen/console/guest-"$1"*.log; }
ticks() { log "$1" | grep -ao 'tick [0-9]* ' | cut -d' ' -f2 | sort -n | tail -n 1; }
_past() { [ "$(ticks "$1")" -gt "$2" ]; }
counts_on() { check "$1: it counts on" until_true 60 _past "$2" $(($(ticks "$2") + 1)); }
server=${LAB_HTTP#http://}
# accepted FORM FILE: by verify-stream-v2, with its last records
accepted() {
	{
		printf 'POST /verify-%s HTTP/1.0\r\nContent-Length: %s\r\n\r\n' "$1" "$(stat -c %s "$2")"
		cat "$2"
	} | socat -t 300 - "TCP:$server" >/tmp/answer
	tail -n 12 /tmp/answer
	head -n 1 /tmp/answer | grep -q ' 200 '
}
check "create" serai create g1.cfg || exit
check "it counts" guest_ticks g1 3 || exit

check "save -c" serai save -c g1 /tmp/a
check_out "verify-stream-v2 takes a checkpoint's file" 'End of Stream|END|End' accepted xl /tmp/a
check_out "serai stream check does too" 'END' serai stream check /tmp/a
counts_on "the original" g1
check "live, through a pipe that is listened to" serai migrate -C g2.cfg -s '' g1 "tee /tmp/live | serai migrate-receive" || exit
counts_on "moved" g2
# In front of the container: a header that ends with the length of the configuration, that, and the CPU policy, which
# begins with the numbers of its leaves of 24 bytes and its MSRs of 16.
u32() { od -An -tu4 -j "$1" -N4 /tmp/live | tr -d ' '; }
at=$((48 + $(u32 44)))
at=$((at + 8 + 24 * $(u32 $at) + 16 * $(u32 $((at + 4)))))
tail -c +$((at + 1)) /tmp/live | head -c -10 >/tmp/container
rm /tmp/live
# Behind the container came "go" and "thanks".
check_out "verify-stream-v2 takes a live stream" 'End of Stream|END|End' accepted libxl /tmp/container
rm /tmp/container
check "save" serai save g2 /tmp/b
check "verify-stream-v2 takes the file" accepted xl /tmp/b
head -c 1000000 /tmp/b >/tmp/cut
refuse "verify-stream-v2 does not take a part of it" accepted xl /tmp/cut
check "xl restores it" xl restore /tmp/b
counts_on "restored by xl" g2
check "xl saves it" xl save g2 /tmp/c
check "verify-stream-v2 takes xl's" accepted xl /tmp/c
check "serai restores that" serai restore /tmp/c
counts_on "restored by serai" g2
mkfifo /tmp/p
cat /tmp/p >/tmp/d &
check "save to a pipe" serai save g2 /tmp/p
wait $!
check "verify-stream-v2 takes what came out of it" accepted xl /tmp/d
check "serai restores that, too" serai restore /tmp/d
counts_on "restored from it" g2
check "its memory was right" test "$(cat /var/log/xen/console/guest-g?*.log | grep -c differs)" = 0
check "it started once" test "$(cat /var/log/xen/console/guest-g?*.log | grep -c 'guest up')" = 1
check "destroy" serai destroy g2

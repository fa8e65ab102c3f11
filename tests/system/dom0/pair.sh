# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Runs on the first of two hosts: a guest moves to the other and back (LAB_MOVE=live), or goes there
# as a stream of a suspended guest (LAB_MOVE=save), which is all Debian's Xen does for PV guests.
. /lab/lib.sh
b=192.168.77.2
on_b() { in_guest $b "$*"; }
last() { sed -n 's/^tick \([0-9]*\) .*/\1/p' | sort -n | tail -n 1; }
# A domain that arrives is logged under the name it has until it is complete, g1--incoming.
a_log() { cat /var/log/xen/console/guest-g1*.log; }
b_log() { on_b 'cat /var/log/xen/console/guest-g1*.log'; }

check "b answers" until_true 90 on_b true || exit
check_out "b is a control domain too" control_d on_b cat /proc/xen/capabilities
guest_config g1 "vcpus=2"
sed -i "s/lab.name=g1/& lab.dirty=4/" g1.cfg
check "create" xl create g1.cfg || exit
check "it counts" guest_ticks g1 5 || exit
n=$(last </var/log/xen/console/guest-g1.log)
start=$(cut -d" " -f1 /proc/uptime)
if [ "${LAB_MOVE:-save}" = live ]; then
	check "migrate to b" xl migrate -s '' g1 "socat -t 900 - TCP:$b:9001"
else
	check "save on a" xl save g1 /tmp/image
	on_b "(socat -u TCP-LISTEN:9003 OPEN:/tmp/image.part,creat </dev/null >/dev/null 2>&1 && mv /tmp/image.part /tmp/image &); sleep 1"
	check "the stream goes to b" socat -u OPEN:/tmp/image TCP:$b:9003
	check "restore on b" on_b "until [ -e /tmp/image ]; do sleep 0.2; done; xl restore /tmp/image && rm /tmp/image"
	rm -f /tmp/image
fi
info move_seconds "$(awk -v s="$start" '{ print $1 - s }' /proc/uptime)"
check "it is gone from a" guest_gone g1
check_out "b has it" '^g1 ' on_b xl list
_on_b_past() { now=$(b_log | last) && [ -n "$now" ] && [ "$now" -gt "$1" ]; }
check "it counts on from $n on b" until_true 60 _on_b_past $((n + 2))
check "it did not start again" sh -c "! printf 'cat /var/log/xen/console/guest-g1*.log\n' | socat -t 20 - TCP:$b:9000 | grep -q 'guest up'"
if [ "${LAB_MOVE:-save}" = live ]; then
	(socat -t 900 TCP-LISTEN:9001,reuseaddr EXEC:'xl migrate-receive') &
	check "and back" on_b "xl migrate -s '' g1 'socat -t 900 - TCP:192.168.77.1:9001'"
	check_out "a has it" '^g1 ' xl list
	n=$(a_log | last)
	_past() { [ "$(a_log | last)" -gt "$1" ]; }
	check "it counts on from $n" until_true 60 _past $((n + 2))
	check "its memory was right all the time" test "$(a_log | grep -c differs)" = 0
	check "destroy" xl destroy g1
else
	check "its memory was right all the time" sh -c "! printf 'cat /var/log/xen/console/guest-g1*.log\n' | socat -t 20 - TCP:$b:9000 | grep -q differs"
	check "destroy" on_b xl destroy g1
fi

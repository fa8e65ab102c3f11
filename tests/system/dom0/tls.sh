# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A guest moves by way of seraid, over TLS, on one host: it has one of two names, by which end it is at. And a
# move whose agent dies, or one of whose connections does, leaves it where it was.
. /lab/lib.sh
there=https://localhost
guest_config g1 "vcpus=${LAB_VCPUS:-1}" "memory=${LAB_MIB:-96}"
sed -i "s/lab.name=g1/lab.name=g lab.dirty=${LAB_DIRTY:-2}/" g1.cfg
sed "s/g1/g2/" g1.cfg >g2.cfg
logs() { cat /var/log/xen/console/guest-g?.log; }
last() { logs | sed -n 's/^tick \([0-9]*\) .*/\1/p' | sort -n | tail -n 1; }
_counts_on() { [ "$(last)" -gt "$1" ]; }
figure() { sed -n "s/.*\"$1\": *\"\{0,1\}\([-0-9.a-z]*\).*/\1/p" <<<"$out" | head -n 1; }
agent() {
	setsid seraid --serai=/usr/local/bin/serai >/var/log/seraid.log 2>&1 </dev/null &
	seraid=$!
	check "seraid" until_true 60 grep 'listening on' /var/log/seraid.log || { cat /var/log/seraid.log; exit; }
}

check "certificates" sh /usr/local/sbin/serai-certs init localhost 127.0.0.1 || exit
printf 'operate localhost\nmigrate localhost\n' >/etc/serai/tls/roles
agent
check_out "serai -H" '^Domain-0 ' serai -H localhost list
check "create" serai create g1.cfg || exit
check "it counts" guest_ticks g1 3 || exit
here=g1
for n in $(seq $((2 * ${LAB_TIMES:-1}))); do
	to=$([ $here = g1 ] && echo g2 || echo g1)
	out=$(serai migrate --json -C $to.cfg ${LAB_OPTIONS:-} $here $there 2>&1)
	rc=$?
	[ $rc = 0 ] || printf '%s\n' "$out"
	check "move $n" test $rc = 0 || { cat /var/log/seraid.log; exit; }
	info "move$n" "$(figure downtime_ms) ms down, $(figure rounds) rounds, $(figure bytes) bytes, $(figure seconds) s in all"
	here=$to
	at=$(last)
	check "move $n: it counts on" until_true 60 _counts_on "$at"
done
_alone() { serai domid $here && ! serai domid $to && [ "$(serai list | wc -l)" = 3 ]; }
# Three connections carry it.
to=$([ $here = g1 ] && echo g2 || echo g1)
check_out "several connections by ssh are refused" 'ssh has one' eval "! serai migrate --connections 2 $here localhost 2>&1"
check_out "too many are refused" '1 to 16' eval "! serai migrate --connections 17 $here $there 2>&1"
out=$(serai migrate --json --connections 3 -C $to.cfg $here $there 2>&1)
rc=$?
[ $rc = 0 ] || printf '%s\n' "$out"
check "move over three connections" test $rc = 0 || { cat /var/log/seraid.log; exit; }
info "over3" "$(figure downtime_ms) ms down, $(figure rounds) rounds, $(figure bytes) bytes, $(figure seconds) s in all"
check "there were three" grep 'over 3 connections' /var/log/seraid.log
here=$to
at=$(last)
check "it counts on after them" until_true 60 _counts_on "$at"
# A disk comes along, over a connection of its own.
to=$([ $here = g1 ] && echo g2 || echo g1)
head -c 8388608 /dev/urandom >/root/d1.raw
mount -t debugfs none /sys/kernel/debug
check "a disk" serai block-attach $here format=raw,vdev=xvda,access=rw,target=/root/d1.raw
{ cat $to.cfg && echo "disk=['format=raw,vdev=xvda,access=rw,target=/root/d2.raw']"; } >with.cfg
out=$(serai migrate --json --copy-storage -C with.cfg $here $there 2>&1)
rc=$?
[ $rc = 0 ] || printf '%s\n' "$out"
check "move with its disk" test $rc = 0 || { cat /var/log/seraid.log; exit; }
info "disk_bytes" "$(figure disk_bytes)"
check "every byte of it" cmp /root/d1.raw /root/d2.raw
here=$to
at=$(last)
check "it counts on with it" until_true 60 _counts_on "$at"
check "the disk is taken away" serai block-detach $here xvda
# Again, each by a process of its own; the last of them is killed once the copy is being made.
to=$([ $here = g1 ] && echo g2 || echo g1)
socat TCP-LISTEN:9443,bind=127.0.0.1,reuseaddr,fork TCP:127.0.0.1:8443 &
relay=$!
relays() { ps -o pid= --ppid $relay | sort -n; }
_under_way() { [ "$(relays | wc -l)" = 4 ] && serai domid $to; }
(until_true 60 _under_way && kill -9 "$(relays | tail -n 1 | tr -d ' ')") &
refuse "a move that loses one of three connections fails" \
	serai migrate --connections 3 --bandwidth 2 -C $to.cfg $here https://127.0.0.1:9443
check "it was cut" until_true 60 grep 'migrate-receive: status .*cut' /var/log/seraid.log
at=$(last)
check "the guest counts on where it was, after that" until_true 60 _counts_on "$at"
check "and is there once, after that" until_true 60 _alone
kill $relay
# The agent of the receiving end is killed in the midst of it.
to=$([ $here = g1 ] && echo g2 || echo g1)
_arriving() { ps -eo args | grep -q '[s]erai migrate-receive'; }
(until_true 60 _arriving && kill -9 $seraid) &
refuse "a move whose agent dies fails" serai migrate -C $to.cfg $here $there
at=$(last)
check "the guest counts on where it was" until_true 60 _counts_on "$at"
check "and is there once" until_true 60 _alone
check "its memory was right" test "$(logs | grep -c differs)" = 0
check "it started once" test "$(logs | grep -c 'guest up')" = 1
check "destroy" serai destroy $here

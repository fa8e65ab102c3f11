# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The server of a guest's disk stands still while the guest moves, with writes of its on their way: it is not handed
# over before they are done, and stays where it was when they take too long.
. /lab/lib.sh
work=/root/work
mkdir -p $work
check "an image" qemu-img create -q -f raw $work/d.raw 64M
qemu-nbd --fork --persistent --shared=8 --format=raw --socket=$work/nbd.sock --pid-file=$work/pid --export-name=d $work/d.raw
server=$(cat $work/pid)
guest_config g1 "disk=['vdev=xvda,access=rw,target=nbd+unix:///d?socket=$work/nbd.sock']" "extra='console=hvc0 quiet lab.name=g lab.late'"
sed "s/g1/g2/" g1.cfg >g2.cfg
served() { [ "$(ls /sys/block/nbd*/pid 2>/dev/null | wc -l)" = "$1" ]; }
last() { cat /var/log/xen/console/guest-g?.log | sed -n 's/^tick \([0-9]*\) .*/\1/p' | sort -n | tail -n 1; }
_counts_on() { [ "$(last)" -gt "$1" ]; }
once() { [ "$(serai list | wc -l)" = 3 ] && serai domid "$1"; }
counts_on() { until_true 40 _counts_on "$(last)"; }

check "create" serai create g1.cfg || exit
check "it counts" guest_ticks g1 3 || exit
pid=$(ls /sys/block/nbd*/pid)
dev=${pid%/pid}
on_its_way() { [ "$(awk '{ print $2 }' $dev/inflight)" -gt 0 ]; }

move() {
	serai -v migrate -C g2.cfg -s '' g1 'exec serai migrate-receive' >$work/said 2>&1 &
	mover=$!
	check "a move begins" until_true 60 served 2 || cat $work/said
	kill -STOP "$server"
	check "the server stands still, with writes on their way" until_true 20 on_its_way
}
move
wait $mover
rc=$?
cat $work/said
check "it fails" test $rc != 0
check_out "and says which disk is not done" 'disk 51712 of domain [0-9]+: [0-9]+ requests are not done' cat $work/said
check "writes were on their way all the time" on_its_way
kill -CONT "$server"
check "the guest counts on where it was" counts_on
check "and is there once" until_true 40 once g1
check "the copy's device is free" until_true 20 served 1

move
check "all of the guest has been sent" until_true 120 grep 'last pages sent' $work/said
at=$(last)
check "it is not handed over" sh -c "! grep 'rings of disks empty' $work/said"
check "nor does it run" test "$(last)" = "$at"
kill -CONT "$server"
wait $mover
rc=$?
cat $work/said
check "then it moves" test $rc = 0
check_out "as its rings were empty" '1 rings of disks empty after [0-9]+ ms' cat $work/said
check "it counts on over there" counts_on
check "and is there once, too" until_true 40 once g2
check "its old device is free" until_true 20 served 1
check "it was started once" test "$(cat /var/log/xen/console/guest-g?.log | grep -c 'guest up')" = 1
check "destroy" serai destroy g2
check "no device is left" until_true 20 served 0

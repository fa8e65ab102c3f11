# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# serai migrate --copy-storage: a guest that writes its disks moves, here from one name to another, and they come along.
. /lab/lib.sh
here=/root/here there=/root/there
mkdir -p $here $there
# As a logical volume is: of a write to several stripes the kernel's record has one event, which has the last.
modprobe -a loop dm-mod
truncate -s 48M $here/a.1 $here/a.2
check "two disks" sh -c "losetup /dev/loop6 $here/a.1 && losetup /dev/loop7 $here/a.2"
check "striped" env DM_DISABLE_UDEV=1 dmsetup create lv --table "0 196608 striped 2 128 /dev/loop6 0 /dev/loop7 0"
lv=/dev/mapper/lv
check "a qcow2 image" qemu-img create -q -f qcow2 $here/b.qcow2 24M
check "with something in it" qemu-io -c 'write -P 7 1M 3M' -c 'write -P 9 20M 64k' $here/b.qcow2
guest_config g1 "disk=['format=raw,vdev=xvda,access=rw,target=$lv','format=qcow2,vdev=xvdb,access=rw,target=$here/b.qcow2']" \
	"extra='console=hvc0 quiet norandmaps lab.name=g lab.disk'"
sed "s/g1/g2/; s,$lv,$there/a.raw,; s,$here,$there,g" g1.cfg >g2.cfg
sed "s/g2/g1/; s,$there,$here,g" g2.cfg >back.cfg
log() { cat /var/log/xen/console/guest-g?.log; }
rounds() { log | grep -ac 'disk round .* right'; }
_more() { [ "$(rounds)" -gt "$1" ]; }
writes_on() { until_true 60 _more "$(($(rounds) + 1))"; }
once() { [ "$(serai list | wc -l)" = 3 ] && serai domid "$1"; }
nothing() { [ -z "$(ls -A "$1")" ] && [ -z "$(ls /run/serai/move-*-* 2>/dev/null)" ] && ! ls /sys/kernel/debug/block/*/trace0 2>/dev/null; }
loops() { [ "$(losetup -a | wc -l)" = "$1" ]; }
move() { serai -v migrate --copy-storage "$@" -C g2.cfg -s '' g1 'exec serai migrate-receive'; }
# says NAME REGEX COMMAND...: it fails, with such a message
says() {
	local name=$1 re=$2 out rc
	shift 2
	out=$("$@" 2>&1)
	rc=$?
	if [ $rc = 1 ] && grep -Eq -- "$re" <<<"$out"; then
		ok "$name"
	else
		printf '%s\n' "$out"
		not_ok "$name (exit $rc, wanted /$re/)"
	fi
}
# stays WHY: after a move that failed
stays() {
	check "$1: the guest writes on where it was" writes_on
	check "$1: it is there once" until_true 40 once g1
	check "$1: nothing is left" until_true 40 nothing $there
}
# begins: in the background, slowly; its process is $mover
_arriving() { ls $there/a.raw.*; }
begins() {
	serai migrate --copy-storage --bandwidth=1 -C g2.cfg -s '' g1 'exec serai migrate-receive' >said 2>&1 &
	mover=$!
	check "a move begins" until_true 60 _arriving || cat said
}

check "create" serai create g1.cfg || exit
check "it writes" until_true 120 _more 2 || exit

says "without the kernel's record it does not begin" 'is not there: mount -t debugfs' move
stays "no debugfs"
mount -t debugfs none /sys/kernel/debug
touch $there/b.qcow2
says "what is there already is not overwritten" "b.qcow2 is here already" move
check "nor taken away" test -e $there/b.qcow2
rm $there/b.qcow2
stays "a file in the way"
says "a disk it has not" 'the domain has not all of these disks' move --copy-storage=xvdc
mkdir -p $there/small
mount -t tmpfs -o size=8m none $there/small
sed "s,$there/a.raw,$there/small/a.raw," g2.cfg >small.cfg
says "no room there" 'cannot write it: No space left on device' serai migrate --copy-storage -C small.cfg -s '' g1 'exec serai migrate-receive'
check "no room: nothing is left" until_true 40 nothing $there/small
umount $there/small && rmdir $there/small
stays "no room"

begins
kill -9 $mover
wait $mover
stays "the sender killed"
begins
check "its receiver" kill -9 "$(ps -eo pid,args | awk '/[m]igrate-receive --token.*--copy-storage/ { print $1; exit }')"
wait $mover
stays "the receiver killed"
begins
check "cancel" serai migrate --cancel g1
wait $mover
check_out "it says so" cancelled cat said
stays "cancelled"

start=$(date +%s)
move -p >said 2>&1
rc=$?
cat said
check "it moves with its disks, and waits there" test $rc = 0
info move_seconds $(($(date +%s) - start))
check_out "in passes" 'disks: pass 1, [0-9]+ KiB written meanwhile' cat said
info passes "$(grep -c 'disks: pass' said)" "$(sed -n 's/.*disks complete after \([0-9]* ms\).*/\1/p' said)"
check "the raw one is what it was, every byte" cmp $lv $there/a.raw
check "and so is the other" qemu-img compare -U $here/b.qcow2 $there/b.qcow2
check_out "which is qcow2 again" 'file format: qcow2' qemu-img info -U $there/b.qcow2
check "holes are holes" test "$(stat -c %b $there/a.raw)" -le $(($(stat -c %b $here/a.1) + $(stat -c %b $here/a.2) + 2048))
check "unpause" serai unpause g2
check "it writes on there" writes_on
check "it is there once" until_true 40 once g2
check "on its own devices" loops 3
check "with nothing of the move left" test -z "$(find $there -type f ! -name a.raw ! -name b.qcow2)"

# And back, to a block device, whatever is on it.
dd if=/dev/urandom of=$lv bs=1M count=96 2>/dev/null
rm $here/b.qcow2
sed -i "s,format=raw\(.*\)target=$here/a.raw,format=raw\1target=$lv," back.cfg
start=$(date +%s)
serai -v migrate --copy-storage -p -C back.cfg -s '' g2 'exec serai migrate-receive' >said 2>&1
rc=$?
cat said
check "it moves to a block device" test $rc = 0
check "which has every byte" cmp $lv $there/a.raw
check "unpause again" serai unpause g1
check "it writes on" writes_on
check "it never read anything wrong" sh -c "! cat /var/log/xen/console/guest-g?.log | grep -a WRONG"
check "it was started once" test "$(log | grep -ac 'guest up')" = 1
check "destroy" serai destroy g1
check "no device is left" until_true 40 loops 2

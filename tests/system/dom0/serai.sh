# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Serai's toolstack: the life of a guest, the columns of xl, files exchanged with xl, a move on this host.
. /lab/lib.sh
work=/var/tmp/serai
mkdir -p $work

memory() { grep -v '^free_memory'; }

check "serai list answers" serai list
CLEAN="memory" check "info is xl's" same info
check "cpupool-list is xl's" same cpupool-list
check "sched-credit2 is xl's" same sched-credit2

guest_config g1 "vcpus=2" "maxmem=128" "on_crash='destroy'"
check "dry run" serai create -n g1.cfg
check "create" serai create g1.cfg || exit
check "it runs" guest_says g1 "guest up: g1, 2 cpus"
CLEAN="times" check "list is xl's" same list
CLEAN="times" check "vcpu-list is xl's" same vcpu-list
check "network-list is xl's" same network-list g1
check "block-list is xl's" same block-list g1
check_out "xl reads our record" '"name": "g1"' xl list -l g1
check_out "list --json has the state" '"state": "(running|runnable|blocked)"' serai list --json g1
refuse "create of a name in use" serai create g1.cfg
check "pause" serai pause g1
check_out "it is paused" '^g1 .* .{2}p--- ' serai list g1
check "unpause" serai unpause g1
check "vcpu-pin" serai vcpu-pin g1 0 0
check_out "affinity is shown" '^g1 +[0-9]+ +0 +.* 0 / all' serai vcpu-list g1
check "vcpu-pin to all" serai vcpu-pin g1 0 all
check "rename" serai rename g1 g2
check_out "domid by the new name" '^[0-9]+$' serai domid g2
check "rename back" serai rename g2 g1
check "dump-core" serai dump-core g1 $work/core
check "the core is whole" test "$(stat -c %s $work/core 2>/dev/null || echo 0)" -gt $((96 << 20))
rm -f $work/core

ticks() { guest_log g1 | grep -c '^tick'; }
_moved() { [ "$(ticks)" -gt "$((before + 1))" ]; }
goes_on() {
	before=$(ticks)
	until_true 40 _moved
}
check "save" serai save g1 $work/a
check "the file is good" serai stream check $work/a
check "the guest is gone" guest_gone g1
check "restore" serai restore $work/a
check "the guest goes on" goes_on
check "save -c" serai save -c g1 $work/b
check "it goes on after a checkpoint" goes_on
check "save again" serai save g1 $work/b
check "xl restores our file" xl restore $work/b
check "and the guest goes on" goes_on
check "xl saves it" xl save g1 $work/c
check "we restore xl's file" serai restore $work/c
check "and the guest goes on once more" goes_on

# Two names, one host: what a move does, without a second machine.
sed "s/g1/m1/" g1.cfg >m1.cfg
check "migrate" serai migrate -C m1.cfg -s "" g1 "serai migrate-receive"
check "the source is gone" guest_gone g1
check_out "the copy runs" '^m1 ' serai list m1
check "a cut transfer is refused" sh -c "head -c 5000000 $work/c >$work/cut; ! serai restore $work/cut"
check "a cut transfer leaves nothing" guest_gone g1
# The control domain keeps its files in memory; what follows needs room for an image.
rm -f $work/a $work/b $work/c $work/cut
check "destroy" serai destroy m1

check "create again" serai create g1.cfg
check "it runs again" guest_says g1 "guest up: g1, 2 cpus"
old=$(serai domid g1)
check "reboot" serai reboot g1
_new() { n=$(serai domid g1) && [ "$n" != "$old" ]; }
check "the monitor starts it again" until_true 120 _new || cat /var/log/xen/serai-g1.log
check "shutdown" serai shutdown g1
check "and it goes" until_true 60 guest_gone g1

guest_config bad "kernel='/nowhere'"
refuse "a kernel that is not there" serai create bad.cfg
guest_config bad "memory=100000"
refuse "more memory than the host has" serai create bad.cfg
guest_config bad "disk=['/nowhere,raw,xvda,w']"
refuse "a disk that is not there" serai create bad.cfg
guest_config bad "vif=['bridge=nobridge']"
refuse "a bridge that is not there" serai create bad.cfg
check "and nothing is left behind" test "$(serai list | wc -l)" = 2
check_out "metrics" 'serai_domain_cpu_seconds_total' serai metrics
check_out "top" 'Domain-0' serai top -b -i 1

# --- a boot loader ------------------------------------------------------------------------------------
# The disk is an archive; the loader takes kernel and ramdisk from it, each time the guest starts.
mkdir -p $work/tree
cp /guests/vmlinuz /guests/initrd $work/tree/ && tar cf $work/boot.raw -C $work/tree vmlinuz initrd && rm -r $work/tree
truncate -s %1M $work/boot.raw
cat >$work/loader <<'END'
#!/bin/bash
for w; do
	case $w in --output=*) out=${w#*=} ;; --output-directory=*) dir=${w#*=} ;; --args=*) args=${w#*=} ;; esac
done
case " $* " in *" --fail "*) exit 9 ;; esac
echo "looking at $w"
echo started >>/root/loader-ran
tar xf "$w" -C "$dir" && printf 'kernel %s\0ramdisk %s\0args %s lab.name=l1\0' "$dir/vmlinuz" "$dir/initrd" "$args" >"$out"
END
chmod +x $work/loader
guest_config l1 "bootloader='$work/loader'" "disk=['$work/boot.raw,raw,xvda,r']" "extra='console=hvc0 quiet'"
sed -i '/^kernel=\|^ramdisk=/d' l1.cfg
check "a guest with a boot loader" serai create l1.cfg
check "its kernel is the disk's" guest_says l1 'guest up: l1'
check_out "what the loader showed is kept" "looking at $work/boot.raw" cat /var/log/xen/bootloader-l1.log
was=$(serai domid l1)
new_l1() { n=$(serai domid l1) && [ "$n" != "$was" ]; }
check "reboot of it runs it again" serai reboot l1
check "it comes again" until_true 120 new_l1 || cat /var/log/xen/serai-l1.log
check "by the loader" test "$(wc -l </root/loader-ran)" = 2
check "nothing of the loader is left" sh -c '! ls -d /var/cache/serai/boot-*'
check "it goes" serai destroy l1
sed -i "s/^bootloader=.*/&\nbootloader_args=['--fail']/" l1.cfg
refuse "a loader that fails" serai create l1.cfg
check_out "and leaves nothing behind" '^2$' sh -c 'serai list | wc -l'

# --- disks through qemu-nbd --------------------------------------------------------------------------
# The guest writes to a qcow2 image and reads it back; the image has it afterwards; no device or process stays.
nbd_idle() { ! ls /sys/block/nbd*/pid >/dev/null 2>&1 && ! ps -C qemu-nbd -o pid= | grep -q .; }
check "a qcow2 image" qemu-img create -q -f qcow2 $work/d.qcow2 64M
guest_config q1 "disk=['format=qcow2,vdev=xvda,access=rw,target=$work/d.qcow2']" "extra='console=hvc0 quiet lab.name=q1 lab.disk'"
check "a guest with a qcow2 disk" serai create q1.cfg
check "it writes and reads" guest_says q1 "disk round 2 right" 120
check_out "its backend is an nbd device" '/dev/nbd[0-9]+' xenstore-read "/local/domain/0/backend/vbd/$(serai domid q1)/51712/nbd-device"
refuse "a second guest with it" serai create q1.cfg name="'q2'"
check "another image" qemu-img create -q -f qcow2 $work/e.qcow2 16M
check "block-attach" serai block-attach q1 "format=qcow2,vdev=xvdb,access=rw,target=$work/e.qcow2"
check_out "two are served" '^2$' sh -c 'ls /sys/block/nbd*/pid | wc -l'
check "block-detach" serai block-detach q1 xvdb
check_out "one is left" '^1$' sh -c 'ls /sys/block/nbd*/pid | wc -l'
old=$(serai domid q1)
new_q1() { n=$(serai domid q1) && [ "$n" != "$old" ]; }
check "reboot of it" serai reboot q1
check "it comes again, with its disk" until_true 120 new_q1 || {
	serai list
	cat /var/log/xen/serai-q1.log
	tail -n 20 /var/log/xen/console/guest-q1.log
}
check "and goes" serai destroy q1
check "no nbd device or process is left" until_true 10 nbd_idle
check "the image is sound" qemu-img check -q $work/d.qcow2
check "and has what was written" test "$(stat -c %s $work/d.qcow2)" -gt $((4 << 20))
# The same by a server.
qemu-nbd --fork --persistent --shared=4 --format=qcow2 --socket=$work/nbd.sock --export-name=d $work/d.qcow2
guest_config q3 "disk=['vdev=xvda,access=rw,target=nbd+unix:///d?socket=$work/nbd.sock']" "extra='console=hvc0 quiet lab.name=q3 lab.disk'"
check "a guest with a disk of a server" serai create q3.cfg
check "it writes and reads, too" guest_says q3 "disk round 1 right" 120
check "and goes, too" serai destroy q3
check "its device is free" until_true 10 sh -c '! ls /sys/block/nbd*/pid'

# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A Debian guest on a real disk and a bridged network: data intact, also across save and restore.
. /lab/lib.sh
mount -t tmpfs -o size=700M tmp /tmp
mib=${LAB_MIB:-24}
ip=10.0.2.50

if [ -n "${LAB_PVGRUB:-}" ]; then
	debian_config deb $ip "kernel='/guests/grub-xen'" "ramdisk=''"
	sed -i '/^extra=/d; /^ramdisk=/d' deb.cfg
	# GRUB's own command line names no address, so the guest asks for one.
	printf "extra=''\n" >>deb.cfg
else
	debian_config deb $ip "vcpus=2"
fi
free_before=$(xl info free_memory)
check "create" xl create deb.cfg || exit
check "login" guest_says deb "debian login:" 150 || exit
if [ -n "${LAB_PVGRUB:-}" ]; then
	check "GRUB started it" sh -c 'grep -q GRUB /var/log/xen/console/guest-deb.log'
	check "shutdown -w" xl shutdown -w deb
	exit
fi
check "a shell in it" until_true 60 in_guest $ip true || exit
check_out "block device" xvda in_guest $ip lsblk
check "web" in_guest $ip "curl -sf $LAB_HTTP/data | md5sum | grep -q $LAB_WEB_MD5"
check "disk is written" in_guest $ip \
	"head -c 32M /dev/urandom >/root/a && md5sum </root/a >/root/a.sum && sync && echo 3 >/proc/sys/vm/drop_caches"
check "disk is read back" in_guest $ip "md5sum </root/a | cmp - /root/a.sum"

# The same bytes, both ways, through one stream each.
dd if=/dev/urandom of=/tmp/block bs=1048576 count=8 2>/dev/null
stream() { for _ in $(seq $((mib / 8))); do cat /tmp/block; done; }
want=$(stream | md5sum)
start=$(date +%s)
in_guest $ip "(socat -t 60 -u TCP-LISTEN:9001 SYSTEM:'md5sum >/tmp/sum' </dev/null >/dev/null 2>&1 &) ; sleep 1"
send() { stream | socat -u - "TCP:$ip:9001"; }
check "$mib MiB are sent" send
check "and arrive intact" until_true 60 in_guest $ip "grep -q '${want%% *}' /tmp/sum"
in_guest $ip "head -c 8M /dev/urandom >/tmp/block; (socat -t 60 -u SYSTEM:'for n in \$(seq $((mib / 8))); do cat /tmp/block; done' TCP-LISTEN:9002 </dev/null >/dev/null 2>&1 &) ; sleep 1"
got=$(socat -u TCP:$ip:9002 - | md5sum)
sum=$(in_guest $ip "for n in \$(seq $((mib / 8))); do cat /tmp/block; done | md5sum")
check "$mib MiB come back intact" test "$got" = "$sum"
info transfer_seconds $(($(date +%s) - start))

check "save" xl save deb /tmp/image
check "restore" xl restore /tmp/image
rm -f /tmp/image
check "the shell answers" until_true 60 in_guest $ip true
check "the file is what it was" in_guest $ip "echo 3 >/proc/sys/vm/drop_caches; md5sum </root/a | cmp - /root/a.sum"
check "the disk can be written on" in_guest $ip "cp /root/a /root/b && sync && cmp /root/a /root/b"
check "no warning in the guest" in_guest $ip "! dmesg | grep -E '$LAB_TROUBLE'"
check "shutdown -w" xl shutdown -w deb
freed "$free_before" && exit
echo "$(xl info free_memory) MiB free, $free_before before"
xl list
xl debug-keys q
xl dmesg | tail -n 40

# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A Debian guest under serai: disk, network, web; who it is stays the same across reboots and crashes.
. /lab/lib.sh
ip=10.0.2.50

# The second interface is given no address: the one made for it has to stay.
debian_config deb $ip "vcpus=2" "on_crash='restart'" \
	"vif=['mac=00:16:3e:00:00:50,bridge=xenbr0', 'bridge=xenbr0']"
started=$(date +%s)
check "create" serai create deb.cfg || exit
check "login" guest_says deb "debian login:" 150 || exit
info login_seconds $(($(date +%s) - started))
check "a shell in it" until_true 60 in_guest $ip true || exit
check_out "block device" xvda in_guest $ip lsblk
check "web" in_guest $ip "curl -sf $LAB_HTTP/data | md5sum | grep -q $LAB_WEB_MD5"
check "disk is written" in_guest $ip "head -c 8M /dev/urandom >/root/a && md5sum </root/a >/root/a.sum && sync"

# What says who it is: to the host, to other tools, to itself.
identity() {
	local id
	id=$(serai domid deb) || return
	serai list --json deb | grep -E '"(name|uuid)"'
	xl list -v deb | awk 'NR == 2 { print $7 }'
	xl network-list deb | awk 'NR > 1 { print $3 }'
	xenstore-read "/local/domain/$id/vm" "/local/domain/$id/name"
	in_guest $ip "cat /sys/hypervisor/uuid /sys/class/net/*/address /etc/machine-id" | tr -d '\r'
}
who=$(identity)
echo "$who"
check "it has two interfaces" test "$(grep -c '^00:16:3e' <<<"$who")" = 4
id=$(serai domid deb)
_another() { n=$(serai domid deb) && [ "$n" != "$id" ]; }
same_again() { # WHAT: it is back, and the same
	check "$1: it comes back" until_true 120 _another || { cat /var/log/xen/serai-deb.log; exit; }
	id=$(serai domid deb)
	check "$1: a shell in it" until_true 200 in_guest $ip true || exit
	[ "$(identity)" = "$who" ]
	check "$1: the same as before" test $? = 0 || diff <(echo "$who") <(identity)
	check "$1: the disk is the same" in_guest $ip "md5sum </root/a | cmp - /root/a.sum"
	check "$1: web" in_guest $ip "curl -sf $LAB_HTTP/data | md5sum | grep -q $LAB_WEB_MD5"
	check_out "$1: one domain has the name" '^1$' sh -c "xl list | grep -c '^deb '"
}
check "reboot" serai reboot deb
same_again "reboot from outside"
in_guest $ip "(sleep 1; systemctl reboot) >/dev/null 2>&1 &"
same_again "reboot from inside"
check "the key that crashes it is allowed" in_guest $ip "echo 1 >/proc/sys/kernel/sysrq"
check "sysrq c" serai sysrq deb c
same_again "crash"
refuse "the name is taken" serai create deb.cfg
check "shutdown -w" timeout 240 serai shutdown -w deb
check "it is gone" until_true 30 guest_gone deb

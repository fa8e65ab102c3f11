# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Debian's libvirtd with its Xen driver reads every xl.cfg of the corpus (domxml-from-native) and every XML that serai
# makes of one (domxml-to-native). What it says is what tests/golden/libvirt says it says; the build host is sent it all,
# and keeps it beside the log (tests/golden/libvirt/README.md).
. /lab/lib.sh
daemon=/run/libvirtd.log
printf '%s\n' 'auth_unix_ro = "none"' 'auth_unix_rw = "none"' 'log_outputs = "3:stderr"' >/run/libvirtd.conf
# The least of its models of processors has what QEMU does not emulate.
sed -i "/name='vme'/d" /usr/share/libvirt/cpu_map/x86_486.xml
libvirtd -f /run/libvirtd.conf >$daemon 2>&1 &
_serves() { virsh -c xen:///system version; }
_serves_or_ended() { _serves || ! kill -0 $!; }
until_true 60 _serves_or_ended
check_out "virsh finds Xen" 'Running hypervisor: Xen' _serves || {
	cat $daemon
	exit
}
check_out "virsh list" '^ *0 +Domain-0 +running' virsh -c xen:///system list

# Ids and addresses that a file does not give are made up anew each time.
_settled() { sed -E "s/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/UUID/g; s/00:16:3e(:[0-9a-f]{2}){3}/MAC/g"; }
# native TO FROM INPUT OUTPUT: virsh's answer in OUTPUT, or what it complained of in OUTPUT.err.
native() {
	if virsh -q -c xen:///system "domxml-$1-native" xen-xl "$2" >"$3" 2>"$3.err"; then rm "$3.err"; else rm "$3"; fi
}
mkdir -p /root/libvirt/from /root/libvirt/to
cd /golden/cfg || exit
read_back=0 taken=0
for f in *.json; do
	n=${f%.json}
	native from "$n.cfg" "/root/libvirt/from/$n.xml"
	[ -e "/root/libvirt/from/$n.xml" ] && read_back=$((read_back + 1))
	serai convert cfg "$n.cfg" xml >"/root/libvirt/to/$n.xml" 2>/dev/null || not_ok "serai convert $n"
	native to "/root/libvirt/to/$n.xml" "/root/libvirt/to/$n.cfg"
	[ -e "/root/libvirt/to/$n.cfg" ] && taken=$((taken + 1))
done
info from_native $read_back
info to_native $taken
cd /root || exit
tar -cf libvirt.tar -C libvirt .
server=${LAB_HTTP#http://}
{
	printf 'POST /keep HTTP/1.0\r\nContent-Length: %s\r\n\r\n' "$(stat -c %s libvirt.tar)"
	cat libvirt.tar
} | socat -t 60 - "TCP:$server" >answer
check_out "the build host keeps it" '^HTTP/1.. 200' cat answer
names=$(for d in /root/libvirt /golden/libvirt; do (cd $d && find from to -type f ! -name "*.diff" ! -name "*.refused"); done | sort -u)
for f in $names; do
	_settled <"libvirt/$f" >got 2>/dev/null
	_settled <"/golden/libvirt/$f" >wanted 2>/dev/null
	if ! cmp -s got wanted; then
		diff wanted got
		not_ok "$f is what it was"
	fi
done
check "libvirtd is still there" kill -0 $!

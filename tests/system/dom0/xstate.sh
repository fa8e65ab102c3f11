# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A guest with Debian's kernel computes with x87, SSE and AVX (tests/system/xstress-init) and is saved and
# restored LAB_CYCLES times; then again with a policy that hides AVX.
. /lab/lib.sh
mount -t tmpfs -o size=300M tmp /tmp
log=/var/log/xen/console/guest-g1.log

# Its own /init and programs, behind the little guest's archive: the later archive wins.
overlay=/tmp/overlay
lib=usr/lib/x86_64-linux-gnu
mkdir -p $overlay/usr/bin $overlay/$lib $overlay/usr/lib64
cp /xstate/init $overlay/init
cp /xstate/xstress /usr/bin/openssl $overlay/usr/bin
for l in libssl.so.3 libcrypto.so.3 libc.so.6; do
	cp -L /$lib/$l $overlay/$lib
done
cp -L /lib64/ld-linux-x86-64.so.2 $overlay/usr/lib64
(cat /guests/initrd && cd $overlay && find . | busybox cpio -o -H newc) >/tmp/initrd
rm -rf $overlay

# Lines of each kind so far, and whether all have grown since.
counts() {
	grep -c 'xstress 1: .*right' $log
	grep -c 'xstress 2: .*right' $log
	grep -c 'openssl: .*right' $log
}
all_go_on() {
	mapfile -t now < <(counts)
	for i in 0 1 2; do
		[ "${now[$i]}" -gt "${before[$i]}" ] || return 1
	done
}
cycle() {
	xl save g1 /tmp/image || return
	xl restore /tmp/image || return
	rm -f /tmp/image
	mapfile -t before < <(counts)
	until_true 60 all_go_on || { tail -n 20 $log; return 1; }
	! grep WRONG $log
}
cycles() { # NUMBER WHAT
	for n in $(seq "$1"); do
		check "cycle $n$2" cycle || return
	done
}
start() { # LINE...: an instance, computing
	: >$log
	guest_config g1 "memory=128" "ramdisk='/tmp/initrd'" "$@"
	check "create" xl create g1.cfg || return
	before=(0 0 0)
	check "it computes" until_true 90 all_go_on || { tail -n 30 $log; return 1; }
}

mkdir -p /var/log/xen/console
start || exit
check "it has AVX" grep -Eq 'guest up: .*, avx, ' $log || exit
check "and XCR0 says so" grep -q 'right, XCR0 0x7' $log
start_time=$(date +%s)
cycles "$LAB_CYCLES" "" || exit
info cycle_seconds $((($(date +%s) - start_time) / LAB_CYCLES))
info rounds "$(counts | tr '\n' ' ')"
check "no wrong result" sh -c "! grep WRONG $log"
check "destroy" xl destroy g1

start "cpuid='host,avx=0'" || exit
check "masked: no AVX in /proc/cpuinfo, XSAVE kept" grep -Eq 'guest up: .*, no-avx, no-avx2, xsave, sse2' $log
cycles "$LAB_MASKED_CYCLES" " with a mask"
check "masked: XCR0 has no AVX, before and after" sh -c "grep -q 'right, XCR0 0x3' $log && ! grep 'XCR0 0x[^3]' $log"
check "no wrong result with a mask" sh -c "! grep WRONG $log"
xl debug-keys f

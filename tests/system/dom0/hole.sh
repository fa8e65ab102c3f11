# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Domains whose policy masks XCR0, one with a hole (AVX out, MPX in): what the domain sees and what is in the file that
# `xl save` writes agree (tests/guests/abi/xmask.c).
. /lab/lib.sh
mount -t tmpfs tmp /tmp
log=/var/log/xen/console/guest-xmask.log

start() { # MASK LINE...
	: >$log
	cat >xmask.cfg <<-EOF
		name='xmask'
		type='pv'
		kernel='/guests/xmask.elf'
		memory=16
		on_poweroff='destroy'
		extra='save=1 mask=$1'
	EOF
	printf '%s\n' "${@:2}" >>xmask.cfg
	xl create -q xmask.cfg
}
# The record of the vCPU's extended state: its number, XCR0, what XCR0 ever was, and a standard image.
record_has() { # XCR0 IMAGE_BYTES
	local zeros=00000000 length xcr0
	length=$(printf '%02x%02x0000' $((($2 + 24) & 255)) $((($2 + 24) >> 8)))
	xcr0=${1}000000$zeros
	tail -c 65536 /tmp/image | od -An -v -tx1 | tr -d ' \n' | grep -q "06000000$length$zeros$zeros$xcr0$xcr0"
}
through_a_file() {
	guest_says xmask 'xmask: save' && xl save xmask /tmp/image && xl restore /tmp/image
}
run() { # MASK IMAGE_BYTES
	check "XCR0 $1: saved and restored" through_a_file || { tail -n 20 $log; return; }
	check "XCR0 $1: the file's record has it, and $2 bytes" record_has "$1" "$2"
	check "XCR0 $1: CPUID, XGETBV, XSETBV, XSAVE and the restored state agree" guest_says xmask 'SG end success'
	until_true 30 guest_gone xmask
}

mkdir -p /var/log/xen/console
check "start as the default has it" start 07
run 07 832
check "start with XCR0 masked in leaf 0xD itself" start 03 "cpuid=['0xd,0:eax=xxxxxxxxxxxxxxxxxxxxxxxxxxxxx0xx']"
run 03 576
check "start with MPX and without AVX" start 1b "cpuid='host,mpx=1,avx=0'"
run 1b 1088
check "start with MPX" start 1f "cpuid='host,mpx=1'"
run 1f 1088

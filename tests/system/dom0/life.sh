# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The life of a small guest under xl, from create to destroy.
. /lab/lib.sh
vcpus=${LAB_VCPUS:-2}

free_before=$(xl info free_memory)
guest_config g1 "vcpus=$vcpus" "memory=128" "maxmem=160" "on_crash='destroy'"
check "create" xl create g1.cfg || exit
check "it runs" guest_says g1 "guest up: g1, $vcpus cpus"
check_out "list" "^g1 +[0-9]+ +128 +$vcpus " xl list
check_out "list -l" '"name": "g1"' xl list -l g1
check_out "vcpu-list" '^g1 ' xl vcpu-list g1
refuse "create of a name in use" xl create g1.cfg

# The console both ways: what is typed there is run there.
console_says() {
	{
		printf 'echo it is $((40 + 2))\n'
		sleep 5
	} | timeout 15 socat -t 6 - EXEC:'xl console g1',pty,raw,echo=0 | grep -q 'it is 42'
}
check "console, both ways" console_says

ticks() { guest_log "$1" | grep -c '^tick'; }
check "pause" xl pause g1
check_out "it is paused" '^g1 .* .{2}p--- ' xl list g1
a=$(ticks g1)
sleep 3
b=$(ticks g1)
check "and stands still" test "$b" -le $((a + 1))
check "unpause" xl unpause g1
_moved() { [ "$(ticks g1)" -gt "$((b + 1))" ]; }
check "and goes on" until_true 20 _moved

check "rename" xl rename g1 g2
check_out "the new name is listed" '^g2 ' xl list
refuse "the old name is gone" xl domid g1
check "rename back" xl rename g2 g1

check "vcpu-pin" xl vcpu-pin g1 0 0
check_out "affinity is shown" '^g1 +[0-9]+ +0 +0 .* 0 / ' xl vcpu-list g1
check "vcpu-pin to all" xl vcpu-pin g1 0 all
if [ "$vcpus" -gt 1 ]; then
	check "vcpu-set 1" xl vcpu-set g1 1
	_one() { [ "$(xl vcpu-list g1 | grep -c -- ' --p ')" = $((vcpus - 1)) ]; }
	check "the others went off line" until_true 30 _one
	check "vcpu-set $vcpus" xl vcpu-set g1 "$vcpus"
	_all() { [ "$(xl vcpu-list g1 | grep -c -- ' --p ')" = 0 ]; }
	check "and came back" until_true 30 _all
fi
check "sched-credit2 weight and cap" xl sched-credit2 -d g1 -w 512 -c 50
check_out "are shown" '^g1 +[0-9]+ +512 +50' xl sched-credit2 -d g1
check "cap off" xl sched-credit2 -d g1 -c 0

check "mem-set down" xl mem-set g1 112
_down() { [ "$(xl list g1 | awk 'NR == 2 { print $3 }')" -le 113 ]; }
check "memory was given back" until_true 30 _down
check "and it lives" xl domid g1 || { guest_log g1 | tail -n 60; exit; }
check "mem-set up" xl mem-set g1 128
_up() { [ "$(xl list g1 | awk 'NR == 2 { print $3 }')" -ge 127 ]; }
check "memory was taken" until_true 30 _up

check "dump-core" xl dump-core g1 /tmp/g1.core
check_out "the dump is an ELF core" '7f454c46' sh -c 'head -c 4 /tmp/g1.core | od -An -tx1 | tr -d " \n"'
rm -f /tmp/g1.core
check "trigger nmi" xl trigger g1 nmi 0
check "sysrq h" xl sysrq g1 h
b=$(ticks g1)
check "it runs still" until_true 20 _moved

id=$(xl domid g1)
: >/var/log/xen/console/guest-g1.log
check "reboot" xl reboot g1
_reborn() { now=$(xl domid g1) && [ "$now" != "$id" ]; }
check "it came back with another id" until_true 60 _reborn
check "and is up again" guest_says g1 "guest up: g1"
check "shutdown -w" xl shutdown -w g1
check "it is gone" until_true 30 guest_gone g1

check "create paused" xl create -p g1.cfg
check_out "paused from the start" '^g1 .* --p--- ' xl list g1
check "destroy" xl destroy g1
check "it is gone at once" guest_gone g1
freed "$free_before"

# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Save, restore, checkpoint, and a move through a pipe.
. /lab/lib.sh
mount -t tmpfs -o size=400M tmp /tmp
log=/var/log/xen/console/guest-g1.log
last() { sed -n 's/^tick \([0-9]*\) .*/\1/p' $log | tail -n 1; }

free_before=$(xl info free_memory)
guest_config g1 "vcpus=${LAB_VCPUS:-2}"
check "create" xl create g1.cfg || exit
check "it counts" guest_ticks g1 3 || exit

check "save -c" xl save -c g1 /tmp/checkpoint
a=$(last)
_past() { [ "$(last)" -gt $((a + 1)) ]; }
check "the original runs on" until_true 30 _past

check "save" xl save g1 /tmp/image
check "the guest is gone" guest_gone g1
n=$(last)
: >$log
check "restore" xl restore /tmp/image
check "it counts on from $n" guest_ticks g1 $((n + 2)) 30
check "it did not start again" sh -c "! grep -q 'guest up' $log"
check_out "its name is back" '^g1 ' xl list

check "restore of a checkpoint fails while the name is used" sh -c '! xl restore /tmp/checkpoint'
check "destroy" xl destroy g1
: >$log
check "restore of the checkpoint" xl restore /tmp/checkpoint
check "it counts on from $a" guest_ticks g1 $((a + 1)) 30
refuse "restore of a truncated file" sh -c 'head -c 300000 /tmp/image >/tmp/short; xl restore /tmp/short'
check "destroy again" xl destroy g1
freed "$free_before"
info image_bytes "$(stat -c %s /tmp/image)"

# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Live migration of a guest that writes memory, to the same host, through a pipe.
. /lab/lib.sh
# A domain that arrives is logged under the name it has until it is complete, g1--incoming.
logs() { cat /var/log/xen/console/guest-g1*.log; }
last() { logs | sed -n 's/^tick \([0-9]*\) .*/\1/p' | sort -n | tail -n 1; }
_past() { [ "$(last)" -gt "$1" ]; }
free_before=$(xl info free_memory)
guest_config g1 "vcpus=2"
sed -i "s/lab.name=g1/& lab.dirty=6/" g1.cfg
check "create" xl create g1.cfg || exit
check "it counts" guest_ticks g1 5 || exit
for round in $(seq "${LAB_ROUNDS:-2}"); do
	id=$(xl domid g1)
	check "migrate, round $round" xl migrate -s '' g1 'xl migrate-receive'
	check "it has another id" test "$(xl domid g1)" != "$id"
	# From what it had counted to when the move was over: the source counted on through most of it.
	n=$(last)
	check "it counts on from $n" until_true 40 _past $((n + 2))
done
check "it never started again" test "$(logs | grep -c 'guest up')" = 1
check "its memory was right all the time" test "$(logs | grep -c differs)" = 0
check "destroy" xl destroy g1
freed "$free_before"

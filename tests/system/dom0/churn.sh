# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Create and destroy, again and again: not a page may be lost.
. /lab/lib.sh
guest_config g1
# The first one makes xenstore and the heap reach their size.
xl create -q -p g1.cfg && xl destroy g1
_settled() { [ "$(xl info free_memory)" = "$free" ]; }
free=$(xl info free_memory)
until_true 5 false
free=$(xl info free_memory)
for i in $(seq "${LAB_TIMES:-200}"); do
	if [ $((i % 4)) = 0 ]; then
		xl create -q g1.cfg
	else
		xl create -q -p g1.cfg
	fi || { not_ok "create $i"; exit; }
	xl destroy g1 || { not_ok "destroy $i"; exit; }
done
check "free memory is $free MiB again after ${LAB_TIMES:-200} guests" until_true 20 _settled
check_out "no domain is left" '^1$' sh -c "xl list | grep -c -v ^Name"

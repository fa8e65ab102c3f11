# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A hostile kernel on three vCPUs beside a neighbour, for LAB_SECONDS. It may kill itself, and is then started
# again with the next seed; the neighbour, the frame accounts and the host must not care. LAB_SEED replays.
. /lab/lib.sh

guest() { # NAME KERNEL VCPUS MIB EXTRA
	printf '%s\n' "name='$1'" "type='pv'" "kernel='/guests/$2.elf'" "extra='$5'" "memory=$4" \
		"vcpus=$3" "on_poweroff='destroy'" "on_crash='destroy'" "on_reboot='destroy'" \
		"on_watchdog='destroy'" >"/root/$1.cfg"
	xl create -q "/root/$1.cfg"
}

seconds=$LAB_SECONDS seed=${LAB_SEED:-1} starts=0 done=0
free_before=$(xl info free_memory)
check "neighbour starts" guest neighbour neighbour 1 24 "seconds=$seconds"
end=$(($(date +%s) + seconds))
while left=$((end - $(date +%s))) && [ $left -gt 0 ]; do
	# As long as the guest's console log shows what it said, whoever it was.
	slice=$((left < 30 ? left : 30))
	name=hostile$starts
	if ! guest "$name" hostile 3 48 "only=storm seconds=$slice seed=$seed"; then
		not_ok "$name starts"
		break
	fi
	until_true $((slice * 4 + 30)) guest_gone "$name" || { xl destroy "$name"; info stuck "$name"; }
	said=$(guest_log "$name" | tr -d '\r' | grep -a '^hostile: ' | tail -1)
	echo "$name seed $seed: ${said:-died: $(guest_log "$name" | tr -d '\r' | tail -n 2)}"
	[ -n "$said" ] && done=$((done + $(cut -d' ' -f2 <<<"$said")))
	starts=$((starts + 1))
	seed=$((seed + 1))
done
info hostile_starts "$starts"
info hostile_operations "$done"
check "the hostile kernel did what it is for" test "$done" -gt $((LAB_SECONDS * 50))
check "the neighbour noticed nothing" guest_says neighbour 'SG verdict success' 120
until_true 60 guest_gone neighbour
xl debug-keys M
check_out "every frame's type and counts are right" 'mm check: 0 contradictions' xl dmesg
check "another guest starts and ends" guest neighbour neighbour 1 24 "seconds=1"
check "and says so" until_true 60 guest_gone neighbour
all_back() { [ "$(xl info free_memory)" = "$free_before" ]; }
check "every frame came back" until_true 30 all_back

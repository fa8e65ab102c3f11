# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Live migration of a Debian guest by Debian's xl to the same host, through a pipe, LAB_ROUNDS times, while it
# rewrites memory, writes its disk and counts through one TCP connection. Each move sends less from round to round.
. /lab/lib.sh
. /lab/work.sh
mount -t tmpfs -o size=600M tmp /tmp
ip=10.0.2.50
free_before=$(xl info free_memory)
debian_config deb $ip "vcpus=${LAB_VCPUS:-2}"
check "create" xl create deb.cfg || exit
check "login" guest_says deb "debian login:" 150 || exit
check "a shell in it" until_true 60 in_guest $ip true || exit
work_start $ip 10.0.2.100 || not_ok "the work in the guest starts"
check "it counts" work_goes_on 5 || exit
# Frames sent in each round: what went through the pipe is kept and looked at.
sent() { serai stream check /tmp/stream | sed -n 's/.* records: \([0-9]*\) pages,.*/\1/p' | tr '\n' ' '; }
for n in $(seq "${LAB_ROUNDS:-2}"); do
	xl migrate -s '' deb 'tee /tmp/stream | xl migrate-receive' >/tmp/said 2>&1
	rc=$?
	[ $rc = 0 ] || tail -n 20 /tmp/said
	check "migrate, round $n" test $rc = 0 || exit
	read -r -a frames <<<"$(sent)"
	info "frames$n" "${frames[@]}"
	check "its rounds shrink" test "${#frames[@]}" -gt 1 -a $((frames[1] * 2)) -lt "${frames[0]}" -a "${frames[-1]}" -lt "${frames[0]}"
	at=$(work_lines)
	check "it counts on" work_goes_on $((at + 3))
done
work_was_right $ip
check "shutdown -w" xl shutdown -w deb
freed "$free_before"

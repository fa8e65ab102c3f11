# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A working Debian guest with four vCPUs suspends LAB_ROUNDS times: in turn saved and restored, as another domain,
# and checkpointed, where the same one goes on. Its kernel has nothing to say about either.
. /lab/lib.sh
. /lab/work.sh
mount -t tmpfs -o size=700M tmp /tmp
ip=10.0.2.50
debian_config deb $ip "vcpus=${LAB_VCPUS:-4}"
check "create" serai create deb.cfg || exit
check "login" guest_says deb "debian login:" 150 || exit
check "a shell in it" until_true 60 in_guest $ip true || exit
work_start $ip 10.0.2.100 || not_ok "the work in the guest starts"
check "it counts" work_goes_on 5 || exit
quiet() { in_guest $ip "! dmesg | grep -E -A 16 '$LAB_TROUBLE'"; }
for n in $(seq "${LAB_ROUNDS:-6}"); do
	at=$(work_lines)
	if [ $((n % 2)) = 0 ]; then
		check "round $n: checkpoint" serai save -c deb /dev/null || exit
	else
		check "round $n: save" serai save deb /tmp/deb || exit
		check "round $n: restore" serai restore /tmp/deb || exit
		rm -f /tmp/deb
	fi
	check "round $n: it counts on" work_goes_on $((at + 3)) || exit
	check "round $n: no warning in the guest" quiet || exit
done
work_was_right $ip
check "destroy" serai destroy deb

# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A Debian guest on a shared disk moves between two hosts: LAB_TIMES times to b and back. It counts aloud, holds
# one TCP connection to a, rewrites memory and writes its disk with checksums.
#   LAB_WAYS  how, a word a move, the last one for all that follow: "move" is serai migrate, live where the host can;
#             "file" is save and restore through a pipe, with xl on Xen and serai on Serai.
#   LAB_VIA   ssh, or tls: by the other's seraid
. /lab/lib.sh
. /lab/work.sh
ip=192.168.77.50
on_b() { in_guest 192.168.77.2 "$*"; }
# on HOST COMMAND
on() { if [ "$1" = a ]; then eval "$2"; else in_guest 192.168.77.2 "$2"; fi; }
# address HOST: as serai migrate takes it
address() {
	case ${LAB_VIA:-ssh}/$1 in
	tls/a) echo https://192.168.77.1 ;;
	tls/b) echo https://192.168.77.2 ;;
	*) echo "$1" ;;
	esac
}
read -ra ways <<<"${LAB_WAYS:-move}"
# tool HOST: what its hypervisor comes with
tool() { case $1/$LAB_HYPERVISOR/$LAB_PEER in a/xen/* | b/*/xen) echo xl ;; *) echo serai ;; esac; }
# by_file FROM TO: suspended, saved, restored, each reading what the other writes
by_file() {
	local from to rc
	on $2 "rm -f /tmp/pipe; mkfifo /tmp/pipe; setsid socat -u TCP-LISTEN:9003,reuseaddr OPEN:/tmp/pipe,wronly >/dev/null 2>&1 </dev/null &"
	on $2 "$(tool $2) restore /tmp/pipe </dev/null 2>&1" >/tmp/restore.out &
	to=$!
	on $1 "rm -f /tmp/pipe; mkfifo /tmp/pipe; setsid socat -u OPEN:/tmp/pipe TCP:192.168.77.$([ $2 = a ] && echo 1 || echo 2):9003,retry=60,interval=0.5 >/dev/null 2>&1 </dev/null &"
	on $1 "$(tool $1) save deb /tmp/pipe </dev/null 2>&1"
	from=$?
	wait $to
	rc=$?
	[ $rc = 0 ] || cat /tmp/restore.out
	[ $from = 0 ] && [ $rc = 0 ]
}
here=a
console=/var/log/xen/console/guest-deb.log
both_logs() { cat $console; on_b "cat $console 2>/dev/null"; }

check "b answers" until_true 90 on_b true || exit
check "ssh to b" until_true 60 ssh b true || exit
check "ssh from b" on_b "ssh -n a true" || exit
# Weights are a vCPU's: of a host's one processor, four busy vCPUs would leave the control domain a fifth.
for h in a b; do
	check "weight of the control domain on $h" on $h "$(tool $h) sched-credit2 -d Domain-0 -w $((512 * ${LAB_VCPUS:-1}))"
done
if [ "${LAB_VIA:-ssh}" = tls ]; then
	for h in a b; do
		# By ssh, which leaves it none of the connection's files: the port's socat would wait for its end.
		ssh $h "PATH=$PATH setsid seraid --serai=/usr/local/bin/serai >/var/log/seraid.log 2>&1 </dev/null &"
		check "seraid on $h" until_true 60 on $h "grep 'listening on' /var/log/seraid.log" || exit
	done
	check_out "serai -H b" '^Domain-0 ' serai -H 192.168.77.2 list
	check_out "serai -H a, from b" '^Domain-0 ' on_b "serai -H 192.168.77.1 list </dev/null"
	_no_sshd='kill $(ps -C sshd -o pid=)'
	on_b "$_no_sshd"
	eval "$_no_sshd"
	check "no ssh" eval '! ssh b true </dev/null' || exit
fi
debian_config deb $ip "vcpus=${LAB_VCPUS:-1}"
sed -i 's/10.0.2.2:/:/' deb.cfg
check "create" "$(tool a)" create deb.cfg || exit
check "login" guest_says deb "debian login:" 150 || exit
check "a shell in it" until_true 60 in_guest $ip true || exit

work_start $ip 192.168.77.1 || not_ok "the work in the guest starts"
check "it counts" work_goes_on 5 || exit
figure() { sed -n "s/.*\"$1\": *\"\{0,1\}\([-0-9.a-z]*\).*/\1/p" <<<"$out" | head -n 1; }
# gap FROM: the longest time without a line since that one
gap() { awk -v from="$1" '$2 > from { if (t && $4 - t > g) g = $4 - t; t = $4 } END { printf "%.1f", g }' <(sed '$d' /tmp/lines); }
for n in $(seq $((2 * ${LAB_TIMES:-1}))); do
	there=$([ $here = a ] && echo b || echo a)
	way=${ways[n - 1]:-${ways[-1]}}
	before=$(work_lines)
	if [ $way = file ]; then
		out=$(by_file $here $there)
		rc=$?
		what="$(tool $here) save, $(tool $there) restore"
	else
		out=$(on $here "serai -v migrate --json ${LAB_OPTIONS:-} deb $(address $there) 2>&1")
		rc=$?
		what="$(figure downtime_ms) ms down ($(sed -n 's/.*\(suspended\|last pages sent\|built\) after \([0-9]*\) ms.*/\1 \2/p' <<<"$out" | tr '\n' ' ')), $(figure rounds) rounds, $(figure bytes) bytes, $(figure seconds) s in all"
		case $out in *'"live": false'*) what="not live, $what" ;; esac
	fi
	[ $rc = 0 ] || printf '%s\n' "$out"
	check "move $n, $here to $there" test $rc = 0 || exit
	at=$(work_lines)
	check "move $n: it counts on" work_goes_on $((at + 3))
	info "move$n" "$here to $there: $what; longest gap seen through the connection $(gap $before) s"
	check_out "move $n: $there has it" '^deb ' on $there "serai list"
	check "move $n: $here has not" on $here '! serai domid deb'
	here=$there
done
work_was_right $ip || exit
check "it started once" test "$(both_logs | grep -c 'debian login:')" = 1
check "destroy" on $here "serai destroy deb"
_clean() { [ "$(serai list | wc -l)" = 2 ] && on_b '[ "$(serai list | wc -l)" = 2 ]'; }
check "no domain is left on either" until_true 20 _clean

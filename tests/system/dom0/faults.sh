# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Moves that go wrong: the transport is cut, the sender or the receiver killed, at points through the stream
# and the hand-over; saves onto a full disk. After each the guest runs exactly once, its memory is right and
# nothing is left over. One host; the guest has one of two names, by which end it is at. LAB_POINTS: how many
# points of the stream; LAB_ALL: also every point of the hand-over for every fault.
. /lab/lib.sh
guest_config g1 "vcpus=1"
sed -i "s/lab.name=g1/lab.name=g lab.dirty=2/" g1.cfg
sed "s/g1/g2/" g1.cfg >g2.cfg
here=g1
other() { [ $here = g1 ] && echo g2 || echo g1; }
logs() { cat /var/log/xen/console/guest-g?.log; }
last() { logs | sed -n 's/^tick \([0-9]*\) .*/\1/p' | sort -n | tail -n 1; }
nodes() { xenstore-list /local/domain | wc -l; }
free_kib() { serai info | sed -n 's|^free_memory *: *||p'; }
held() { for l in /run/serai/*.lock; do flock -n "$l" true || echo "$l"; done | wc -l; }

check "create" serai create g1.cfg || exit
check "it counts" guest_ticks g1 3 || exit
free=$(free_kib)
devices() { xenstore-ls /local/domain/0/backend 2>/dev/null | wc -l; }
nr_devices=$(devices)
nr_nodes=$(nodes)

# One of the two names has a domain, which runs; the other has none; what it took is given back.
_settled() {
	local n=0
	for d in g1 g2; do
		if serai domid $d >/dev/null 2>&1; then
			here=$d
			n=$((n + 1))
		fi
	done
	[ $n = 1 ] && [ "$(serai list | wc -l)" = 3 ] && ! serai list | grep -Eq '^g[12] .* ..[p-]?[sc]..? ' &&
		[ "$(nodes)" = "$nr_nodes" ] && [ "$(devices)" = "$nr_devices" ] &&
		[ "$(held)" = 1 ] && [ "$(free_kib)" -ge "$free" ]
}
_counts_on() { [ "$(last)" -gt "$1" ]; }
total=0 good=0
# fault NAME WHEN N ACTION stays|moves|either
fault() {
	local name=$1 from=$here n problem='' out
	total=$((total + 1))
	out=$(serai migrate -C "$(other).cfg" -s '' "$here" "exec cutter $2 $3 '$4' serai migrate-receive" 2>&1)
	n=$(last)
	until_true 40 _settled || problem="not settled"
	until_true 20 _counts_on "$n" || problem="$problem does not count"
	[ "$(logs | grep -c differs)" = 0 ] || problem="$problem memory differs"
	[ "$(logs | grep -c 'guest up')" = 1 ] || problem="$problem started again"
	[ "$(awk '{ print $3 }' /tmp/cutter)" = 1 ] || problem="$problem no fault happened"
	# Before "go" the domain cannot have moved; after it was written down, it has.
	case $5 in
	stays) [ $here = "$from" ] || problem="$problem moved" ;;
	moves) [ $here != "$from" ] || problem="$problem did not move" ;;
	esac
	printf '\n@@ info fault_%02d=%-16s %-6s %10s  %s -> %s  %s\n' $total "$name" "$2" "$3" "$from" "$here" "${problem:-right}"
	if [ -n "$problem" ]; then
		printf '%s\n' "$out"
		serai list
		ls /run/serai
		tail -n 5 /var/log/xen/serai-g?.log
		not_ok "$name, $2 $3: $problem"
		exit
	fi
	good=$((good + 1))
}
# exec: so that the sender is the cutter's parent.
mover='kill -9 $SENDER'

check "a whole move" serai migrate -C g2.cfg -s '' g1 "exec cutter up 99999999999 cut serai migrate-receive" || exit
here=g2
read -r bytes down _ </tmp/cutter
info bytes "$bytes up, $down down"
check "it is settled" until_true 40 _settled || { serai list; nodes; devices; held; free_kib; exit; }
points=${LAB_POINTS:-1}
for i in $(seq $points); do
	at=$((bytes * i / (points + 1)))
	fault cut up $at cut stays
	fault "sender killed" up $at "$mover" stays
	fault "receiver killed" up $at 'kill -9 $PEER' stays
done
# Down: 22 bytes "ready", 29 "accept", 35 "built", 43 "running". Once 35 are let through, "go" follows; what is
# held back then is "running", and the domain has moved.
some="35"
[ -z "${LAB_ALL:-}" ] || some="0 22 29 35"
for at in $some; do
	case $at in 35) where=moves ;; *) where=stays ;; esac
	fault cut down $at cut $where
	fault "sender killed" down $at "$mover" $where
	# A receiver that dies with "accept" or "built" unsaid has not got "go"; later it has.
	fault "receiver killed" down $at 'kill -9 $PEER' $where
done
# "go" held back: the sender believes that it gave the domain away, the receiver has not heard of it. A sender
# that is killed leaves the cutter to pass "go" on, or its guardian to ask: either is right.
fault cut reply 35 cut stays
fault "sender killed" reply 35 "$mover" either
fault "receiver killed" reply 35 'kill -9 $PEER' stays
# "thanks" held back.
fault cut reply 43 cut moves
fault "sender killed" reply 43 "$mover" moves
fault "receiver killed" reply 43 'kill -9 $PEER' moves
# A disk that is full: after so many MiB of the file.
mkdir -p /small
for mib in ${LAB_FULL:-3 20}; do
	mount -t tmpfs -o "size=${mib}m" small /small
	n=$(last)
	refuse "save onto a disk of $mib MiB" serai save $here /small/image
	check "nothing is left on it" test -z "$(ls /small)"
	check "the guest runs on" until_true 40 _settled
	check "and counts" until_true 20 _counts_on "$n"
	umount /small
	total=$((total + 1)) good=$((good + 1))
done
info faults "$good of $total right"
check "destroy" serai destroy $here

# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# LAB_GUESTS guests (20) use the store without a pause, each counting what it was promised, while our daemon (lab.tools)
# is killed LAB_KILLS times (20) and the control domain writes, too. Half of them are made by xl, half by serai.
. /lab/lib.sh
n=${LAB_GUESTS:-20} kills=${LAB_KILLS:-20}

check_out "our daemon serves" '^/lab/tools/xenstored$' readlink "/proc/$(store_keeper)/exe"
free_before=$(xl info free_memory)
xenstore-write /traffic/bell ""
xenstore-chmod /traffic/bell r0
started=$(date +%s)
for i in $(seq "$n"); do
	printf '%s\n' "name='t$i'" "type='pv'" "kernel='/guests/traffic.elf'" "memory=16" "vcpus=1" \
		"on_poweroff='preserve'" >"t$i.cfg"
	tool=xl
	[ $((i % 2)) = 0 ] && tool=serai
	$tool create -q "t$i.cfg" || not_ok "$tool create t$i"
done
ready=0
for i in $(seq "$n"); do guest_says "t$i" 'traffic: ready' && ready=$((ready + 1)); done
check "all $n guests use the store ($ready)" test "$ready" = "$n"
info create_seconds $(($(date +%s) - started))

started=$(date +%s)
xenstore-write /traffic/bell/1 go
killed=0 bells=1 refused=0 slowest=0
while [ $killed -lt "$kills" ]; do
	was=$(store_worker)
	kill -9 "$was" && killed=$((killed + 1))
	_next() { [ -n "$(store_worker)" ] && [ "$(store_worker)" != "$was" ]; }
	until_true 30 _next || break
	for _ in 1 2; do
		bells=$((bells + 1))
		began=${EPOCHREALTIME/./}
		xenstore-write "/traffic/bell/$bells" x || refused=$((refused + 1))
		took=$(((${EPOCHREALTIME/./} - began) / 1000))
		slowest=$((took > slowest ? took : slowest))
	done
	sleep 0.$((RANDOM % 9 + 1))
done
info kills $killed
info slowest_write_ms $slowest
check "it was killed $kills times" test "$killed" = "$kills"
check "the control domain's writes were taken" test $refused = 0
xenstore-write /traffic/bell/end "$bells"
good=0 requests=0
for i in $(seq "$n"); do
	if guest_says "t$i" 'SG verdict' 180 && grep -aq 'SG verdict success' "/var/log/xen/console/guest-t$i.log"; then
		good=$((good + 1))
	else
		guest_log "t$i" | tr -d '\r' | grep -aE 'traffic:|SG' | sed "s/^/t$i: /"
	fi
	requests=$((requests + $(guest_log "t$i" | tr -d '\r' | sed -n 's/^traffic: \([0-9]*\) requests.*/\1/p')))
done
info requests $requests
info traffic_seconds $(($(date +%s) - started))
check "no write, no watch event and no transaction is lost in $n guests ($good)" test "$good" = "$n"
seen=0
for i in $(seq "$n"); do
	id=$(xl domid "t$i")
	[ "$(xenstore-list "/local/domain/$id/data/w" | wc -l)" -ge 20 ] && seen=$((seen + 1))
done
check "the control domain sees every guest's nodes ($seen)" test "$seen" = "$n"
check "the store finds itself in order" xenstore-control check
check_out "limits are known for each of them" '^nodes +: +[0-9]+ of' xenstore-control quota "$(xl domid t1)"

for i in $(seq "$n"); do
	tool=xl
	[ $((i % 2)) = 1 ] && tool=serai # the other one than made it
	$tool destroy "t$i" || not_ok "$tool destroy t$i"
done
_alone() { [ "$(xenstore-list /local/domain)" = 0 ]; }
check "no guest leaves a node behind" until_true 30 _alone
freed "$free_before"
check "the store finds itself in order once more" xenstore-control check

# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Our xenstored (lab.tools, /lab/tools) under Debian's tools: the protocol's answers, a guest's life,
# the daemon killed while clients and a guest use it. LAB_KILLS: how often.
. /lab/lib.sh

check_out "our daemon serves" '^/lab/tools/xenstored$' readlink "/proc/$(store_keeper)/exe"
check_out "it has no capability" '^CapEff:[[:space:]]*0+$' grep CapEff "/proc/$(store_worker)/status"
check_out "xen-init-dom0 named dom0" '^Domain-0$' xenstore-read /local/domain/0/name
until_true 20 xenstore-read /local/domain/0/control/feature-poweroff
check "dom0's kernel writes through its ring" xenstore-read /local/domain/0/control/feature-poweroff

/root/probe /run/xenstored/socket </root/protocol.txt >/root/answers 2>&1
grep -v "^#" /root/expected >/root/wanted
if diff /root/wanted /root/answers; then ok "every answer is the one Debian's daemon gives"; else not_ok "every answer is the one Debian's daemon gives"; fi
check "it finds itself in order" xenstore-control check

# --- killed while it is used -----------------------------------------------------------------
KILLS=${LAB_KILLS:-3}
xenstore-write /load/go 1
: >/root/seen
socat -u EXEC:'xenstore-watch -n 1000000 /load/w',pty,rawer OPEN:/root/seen,creat,append &
watcher=$!
until_true 10 grep -q . /root/seen
_writer() { # NUMBER: every write that was confirmed goes to a file
	local n=0
	while [ -e /root/writing ]; do
		n=$((n + 1))
		sleep 0.2
		xenstore-write "/load/w/$1/$n" "$n" 2>>/root/failed && echo "/load/w/$1/$n" >>"/root/confirmed.$1"
	done
}
touch /root/writing
writers=
for i in 1 2; do
	_writer $i &
	writers="$writers $!"
done
guest_config storm
xl create /root/storm.cfg >/root/storm.out 2>&1 &
creating=$!
killed=0
while [ $killed -lt "$KILLS" ]; do
	was=$(store_worker) && kill -9 "$was" && killed=$((killed + 1))
	_next() { [ -n "$(store_worker)" ] && [ "$(store_worker)" != "$was" ]; }
	until_true 20 _next || break
	echo "killed $was, now $(store_worker)"
	sleep 0.$((RANDOM % 9 + 1))
done
if wait $creating; then ok "xl create while the store was killed"; else cat /root/storm.out; not_ok "xl create while the store was killed"; fi
rm /root/writing
# shellcheck disable=SC2086
wait $writers
info kills $killed
cat /root/confirmed.* >/root/confirmed
info writes "$(wc -l </root/confirmed)"
check "clients did not notice: no write failed" test ! -s /root/failed
xenstore-ls -f /load >/root/there
_all_there() {
	local lost
	lost=$(sed -n 's/ = .*//p' /root/there | sort | comm -23 <(sort /root/confirmed) -)
	echo "lost: $lost"
	[ -z "$lost" ]
}
check "no confirmed write is lost" _all_there
_all_seen() {
	local lost
	lost=$(sort -u /root/seen | comm -23 <(sort /root/confirmed) -)
	echo "never told of: $lost"
	[ -z "$lost" ]
}
check "no watch event is lost" until_true 20 _all_seen
check "the watching client is the same one" kill -0 $watcher
check "the guest comes up" guest_says storm 'guest up: storm' 90
check_out "xl list" '^storm ' xl list
check_out "the guest's own watch still works: xl shutdown" . timeout 120 xl shutdown -w storm
check "it is gone" until_true 30 guest_gone storm
check "xenconsoled is the same one" kill -0 "$(cat /run/xenconsoled.pid)"
check "the store finds itself in order" xenstore-control check

# --- both processes killed, started again by hand ---------------------------------------------
guest_config cold
check "xl create" xl create /root/cold.cfg
check "the guest comes up" guest_says cold 'guest up: cold' 90
guest_config own "vcpus=2"
check "serai create" serai create own.cfg
check "the guest comes up" guest_says own 'guest up: own' 90
xenstore-write /load/kept yes
w=$(store_worker)
kill -9 "$(store_keeper)" "$w"
_both_gone() { ! kill -0 "$w" 2>/dev/null; }
until_true 10 _both_gone
check "xenstored starts again" xenstored --pid-file=/run/xenstored.pid
check_out "with its nodes" '^yes$' xenstore-read /load/kept
# The old one has lost its socket, and holds its pid file.
kill -9 "$(</run/xenconsoled.pid)" 2>/dev/null
xenconsoled --pid-file=/run/xenconsoled.pid --log=all
check_out "and its domains: xl shutdown" . timeout 120 xl shutdown -w cold
# The xl that would clean up after it lost its socket with the keeper.
check "xl destroy" xl destroy cold
check "it is gone" until_true 30 guest_gone cold

# --- our own tools ----------------------------------------------------------------------------
check_out "serai list" '^own ' serai list
was=$(store_worker)
kill -9 "$was"
until_true 20 _next
check "serai rename after another death of the worker" serai rename own ours
check_out "the new name is in the store" '^ours$' xenstore-read "/local/domain/$(xl domid ours)/name"
old=$(serai domid ours)
check "serai reboot" serai reboot ours
_other() { n=$(serai domid ours) && [ "$n" != "$old" ]; }
check "its monitor, who lost his connection with the keeper, starts it again" until_true 120 _other
_no_old() { ! xenstore-exists "/local/domain/$old"; }
check "nothing is left of the old one" until_true 20 _no_old
check "the guest comes up again" guest_says ours 'guest up' 90
check "serai save" serai save ours /tmp/ours
check "serai restore" serai restore /tmp/ours
_going() { [ "$(guest_log ours | grep -ac '^tick')" -gt "$ticks" ]; }
ticks=$(guest_log ours | grep -ac '^tick')
check "the guest goes on" until_true 60 _going
check "serai shutdown -w" timeout 120 serai shutdown -w ours
check "it is gone" until_true 30 guest_gone ours

# --- live update, limits ----------------------------------------------------------------------
was=$(store_worker)
check "xenstore-control live-update" xenstore-control live-update /lab/tools/xenstored
_updated() { [ -n "$(store_worker)" ] && [ "$(store_worker)" != "$was" ]; }
check "the program was replaced" until_true 10 _updated
check_out "and kept everything" '^yes$' xenstore-read /load/kept
check_out "limits are shown" 'nodes +: +1000' xenstore-control quota
check_out "and what a domain uses" '^nodes +: +[0-9]+ of +1000' xenstore-control quota 0
guest_config limits
check "xl create" xl create /root/limits.cfg
id=$(xl domid limits)
check "a limit is set for one domain" xenstore-control quota set watches 7 "$id"
check_out "and shown" '^watches .* 7 \(its own\)' xenstore-control quota "$id"
check "xl destroy" xl destroy limits
_no_nodes() { ! xenstore-exists "/local/domain/$id"; }
check "nothing of it is left" until_true 20 _no_nodes
refuse "nor its account" xenstore-control quota "$id"
check "the store finds itself in order" xenstore-control check

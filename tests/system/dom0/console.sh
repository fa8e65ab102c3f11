# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# serai-consoled in place of xenconsoled: Debian's xl and stock guests, several viewers, logs that turn, a
# daemon that dies and comes back, a guest that floods.
. /lab/lib.sh
logs=/var/log/xen/console
sockets=/run/serai/console
# A viewer that is gone must not take the script along.
trap "" PIPE
echo "serai:x:900:" >>/etc/group

pid_of() { cat /run/consoled.pid; }
start() { serai-consoled --log=all --log-dir=$logs --pid-file=/run/consoled.pid "$@"; }
ended() { ! kill -0 "$1" 2>/dev/null; }
stop() {
	local pid
	pid=$(pid_of)
	kill "${1:--TERM}" "$pid"
	until_true 20 ended "$pid"
}
viewers=()
# viewer N COMMAND...: its input is file descriptor 10 + N, its output /run/out.N.
viewer() {
	local n=$1
	shift
	mkfifo "/run/in.$n"
	"$@" <"/run/in.$n" >"/run/out.$n" 2>&1 &
	viewers[n]=$!
	eval "exec $((10 + n))>/run/in.$n"
}
shows() { until_true "${3:-40}" grep -aq -- "$2" "/run/out.$1"; }
count() { grep -ac '^tick' "$1"; }
more_ticks() { [ "$(count "$1")" -gt "$2" ]; }
ticks_on() { until_true 40 more_ticks "$1" "$(($(count "$1") + ${2:-1}))"; }

old=$(cat /run/xenconsoled.pid)
kill "$old"
check "xenconsoled ends" until_true 20 ended "$old"
check "serai-consoled starts and says when it is ready" start || exit
check_out "it keeps no capability" '^CapEff:\s0000000000000000' cat "/proc/$(pid_of)/status"
check_out "and cannot get one" '^NoNewPrivs:\s1' cat "/proc/$(pid_of)/status"
check_out "of groups it keeps one" '^Groups:\s900 *$' cat "/proc/$(pid_of)/status"
refuse "a second daemon" serai-consoled -i
check "which leaves the first alone" kill -0 "$(pid_of)"

guest_config g1
check "xl creates a guest" xl create g1.cfg || exit
check "its words are in the log" guest_says g1 "guest up: g1" || exit
id=$(xl domid g1)
check_out "its terminal is in xenstore" '^/dev/pts/' xenstore-read "/local/domain/$id/console/tty"
check_out "its socket is the group's" '^660 0:900$' stat -c '%a %u:%g' "$sockets/$id.sock"
check_out "and has its name" "^$id.sock\$" readlink "$sockets/g1.sock"
check "the hypervisor's log is not empty" test -s "$logs/hypervisor.log"

viewer 1 serai console g1
viewer 2 serai console "$id"
# Without a terminal xl takes no input.
viewer 3 socat - "EXEC:xl console g1,pty,raw,echo=0,setsid,ctty"
check "a viewer sees what was before" shows 1 '^tick'
check "a second one, too" shows 2 '^tick'
check "xl console sees the beginning" shows 3 'guest up: g1'
# shellcheck disable=SC2016  # the guest's shell counts
echo 'echo typed-$((20 + 1))' >&11
for n in 1 2 3; do
	check "typed by one viewer, seen by viewer $n" shows $n 'typed-21'
done
# shellcheck disable=SC2016
echo 'echo typed-$((20 + 2))' >&13
check "typed into xl console, seen by serai console" shows 2 'typed-22'
printf '\035' >&11
check "^] leaves" until_true 20 ended "${viewers[1]}"
printf '\035' >&13
check "xl's ^], too" until_true 20 ended "${viewers[3]}"
check "the other viewer stays" kill -0 "${viewers[2]}"

check "the daemon is killed" stop -KILL
check "the viewer waits" kill -0 "${viewers[2]}"
check "it starts again" start
check "the viewer goes on by itself" ticks_on /run/out.2
# shellcheck disable=SC2016
echo 'echo typed-$((20 + 3))' >&12
check "and can type" shows 2 'typed-23'
check "the log goes on" ticks_on "$logs/guest-g1.log"
viewer 4 socat - "EXEC:xl console g1,pty,raw,echo=0,setsid,ctty"
check "xl console finds the new terminal" shows 4 '^tick'
printf '\035' >&14

check "rename" xl rename g1 g3
check "the log goes on under the new name" until_true 20 grep -aq '^tick' "$logs/guest-g3.log"
check "so does the socket's link" until_true 20 test -S "$sockets/g3.sock"
check "the old link is gone" test ! -e "$sockets/g1.sock"

# A flood: held to the rate, into logs that turn, while another guest's console goes on.
guest_config g2
check "serai creates another" serai create g2.cfg
check "its words are in the log, too" guest_says g2 "guest up: g2"
check "the daemon ends when asked" stop
serai-consoled -i --log=all --log-dir=$logs --pid-file=/run/consoled.pid --log-size=16 --log-keep=2 --rate=8 \
	--burst=8 2>/run/consoled.err &
# Its viewers know when it is there.
check "a viewer finds the next daemon" ticks_on /run/out.2
started=$(date +%s)
# shellcheck disable=SC2016
echo 'yes flood-flood-flood | head -c 60000; echo flood-$((20 + 4))-end' >&12
check "the flood is noticed" until_true 30 grep -q '(g3) floods its console' /run/consoled.err
check "another guest's console goes on" ticks_on "$logs/guest-g2.log" 3
check "the flood comes through" shows 2 'flood-24-end' 120
took=$(($(date +%s) - started))
info flood_seconds "$took"
check "at the rate it was given" test "$took" -ge 5
# shellcheck disable=SC2016  # expanded by the inner shell
check "the viewer lost nothing" sh -c '[ "$(tr -d "\r" </run/out.2 | grep -ac "^flood-flood-flood$")" -ge 3300 ]'
check "the logs have turned" test -f "$logs/guest-g3.log.2"
check "no further than asked" test ! -e "$logs/guest-g3.log.3"
check_out "none is too long" '^good$' sh -c "find $logs -name 'guest-g3.log*' -size +16k | grep . || echo good"
mv "$logs/guest-g2.log" "$logs/moved"
kill -HUP "$(pid_of)"
check "SIGHUP opens logs anew" until_true 20 grep -aq '^tick' "$logs/guest-g2.log"

check "destroy" xl destroy g3
check "its viewer ends" until_true 20 ended "${viewers[2]}"
check "its socket goes" until_true 20 test ! -e "$sockets/$id.sock"
check "destroy the other" serai destroy g2
_empty() { [ -z "$(ls $sockets)" ]; }
check "nothing is left in $sockets" until_true 20 _empty
# shellcheck disable=SC2016
check_out "no domain is left behind by a mapping" '^good$' sh -c '[ "$(xl list | wc -l)" = 2 ] && echo good'
check "it ends" stop

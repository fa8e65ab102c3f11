# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What serai prints with --json is as docs/schema says: every form that needs a host, in the states there are. The
# build host validates, by way of its web server.
. /lab/lib.sh
server=${LAB_HTTP#http://}
# valid SCHEMA: what is in /run/printed, by that schema.
valid() {
	{
		printf 'POST /json-%s HTTP/1.0\r\nContent-Length: %s\r\n\r\n' "$1" "$(stat -c %s /run/printed)"
		cat /run/printed
	} | socat -t 60 - "TCP:$server" >/run/answer
	head -n 1 /run/answer | grep -q ' 200 ' && return
	cat /run/printed /run/answer
	return 1
}
# printed STATUS ARGUMENTS...: into /run/printed, what that prints with --json behind the verb.
printed() {
	local want=$1 first=() rc
	shift
	[ "$1" != -N ] || { first=(-N); shift; }
	serai "${first[@]}" "$1" --json "${@:2}" >/run/printed 2>/run/said </dev/null
	rc=$?
	[ $rc = "$want" ] && return
	cat /run/said
	echo "status $rc"
	return 1
}
_json() { printed 0 "${@:2}" && valid "$1"; }
# json SCHEMA ARGUMENTS...
json() { check "$*" _json "$@"; }
# has REGEX: what was printed last has a line like that.
has() { check "... $1" grep -Eq -- "$1" /run/printed; }

modprobe loop # nobody here makes /dev/loop-control before
mkdir -p /var/cache
ip link add xenbr0 type bridge
ip link set xenbr0 up

# --- a schema that is not kept is noticed -------------------------------------------------------
echo '[{"domid": 0}]' >/run/printed
refuse "a list without its members is refused" valid uptime
json version version
json help help
refuse "serai dmesg's log is no version" _json version dmesg

# --- the host ----------------------------------------------------------------------------------
json info info
has '"nr_cpus": [0-9]+,$'
has '"cpu_topology": null'
json info info -n
has '"socket": 0'
has '"memsize": [1-9]'
json dmesg dmesg
has '^    "'
json list list
has '"name": "Domain-0"'
has '"transfer": null'
json list list 0
json list list -l
json vcpu-list vcpu-list
json cpupool-list cpupool-list
json sched-credit2 sched-credit2
has '"weight": 256'
json sched-credit2 sched-credit2 -s
has '"ratelimit_us": '
json uptime uptime
json domid domid Domain-0
json domname domname 0
json top top -i 1
json top top -i 2 -d 0.5 -v
has '"vcpu": 1,'
json cpu-policy cpu-policy show
json cpu-policy cpu-policy common host:pv-max host:pv-default
json fetch fetch "$LAB_HTTP/data" /tmp/data

# --- a domain ----------------------------------------------------------------------------------
# Debian's kernel keeps the key that crashes it for those who ask.
guest_config g1 "vcpus=2" "memory=128" "maxmem=160" "on_crash='preserve'" \
	"extra='console=hvc0 quiet sysrq_always_enabled lab.name=g1'"
sed "s/g1/g2/" g1.cfg >g2.cfg
json create create -n g1.cfg
has '"overhead_kib": [1-9]'
json create create g1.cfg || exit
has '"name": "g1"'
check "it runs" guest_says g1 "guest up: g1, 2 cpus" || exit
json create -N config-update g1 g2.cfg
json list list
json list list -l g1
has '"on_crash": "preserve"'
json vcpu-list vcpu-list g1
json block-list block-list g1
json network-list network-list g1
truncate -s 4M /root/disk.img
vbd() { [ "$(serai block-list g1 | awk 'NR == 2 { print $4 }')" = 4 ]; }
vif() { [ "$(serai network-list g1 | awk 'NR == 2 { print $5 }')" = 4 ]; }
check "block-attach" serai block-attach g1 /root/disk.img,raw,xvdb,r
check "network-attach" serai network-attach g1 mac=00:16:3e:00:00:31 bridge=xenbr0
json block-list block-list g1
json network-list network-list g1
check "the guest takes the disk" until_true 40 vbd
check "and the interface" until_true 40 vif
json block-list block-list g1
has '"readonly": true'
has '"queues": 2'
has '"event_channel": [0-9]'
json network-list network-list g1
has '"bridge": "xenbr0"'
has '"rx_ring_ref": [0-9]'
json list list -l g1
json top top -i 1 -v
json uptime uptime g1
json sched-credit2 sched-credit2 -d g1
check "a vCPU goes" serai vcpu-set g1 1
_offline() { printed 0 vcpu-list g1 && grep -q '"state": "offline"' /run/printed; }
check "it is offline" until_true 40 _offline
json vcpu-list vcpu-list g1
has '"cpu": null'
json top top -i 1 -v
check "vcpu-pin" serai vcpu-pin g1 0 1 0
json vcpu-list vcpu-list g1
check "pause" serai pause g1
json list list g1
has '"state": "paused"'
check "unpause" serai unpause g1
# What is taken away again must not be missed by a move.
check "block-detach" serai block-detach g1 xvdb
check "network-detach" serai network-detach g1 0

# --- saved and moved ---------------------------------------------------------------------------
json migrate migrate -C g2.cfg -s '' g1 'exec serai migrate-receive'
has '"rounds": [1-9]'
mkfifo /run/pipe
exec 7<>/run/pipe
serai save g2 /run/pipe >/run/save 2>&1 7>&- &
saver=$!
_saving() { printed 0 list g2 && grep -q '"transfer": "saving"' /run/printed && grep -q suspended /run/printed; }
check "a save that nobody takes is seen" until_true 60 _saving
json list list g2
has '"shutdown_reason": 2'
exec 7>&-
wait $saver
ended=$?
check "it fails" test $ended = 1
json list list g2
has '"transfer": null'
check "save" serai save g2 /tmp/image
json stream stream check /tmp/image
has '"record": "END"'
head -c 100000 /tmp/image >/tmp/cut
check "a damaged file: status 1" printed 1 stream check /tmp/cut
check "and the records before the damage" valid stream
json create restore /tmp/image
has '"name": "g2"'
rm -f /tmp/image /tmp/cut

# --- ends, and names without a domain -----------------------------------------------------------
check "the guest crashes" serai sysrq g2 c
_crashed() { printed 0 list g2 && grep -q '"state": "crashed"' /run/printed; }
check "it is kept" until_true 60 _crashed
json list list
has '"shutdown_reason": 3'
check "destroy" serai destroy g2
exec 8>/run/serai/ghost.lock
flock -x 8
json list list
has '"name": "ghost"'
has '"state": "starting"'
echo "rebooting 7 $$" >&8
json list list
has '"state": "rebooting"'
has '"domid": null'
exec 8>&-
rm -f /run/serai/ghost.lock
json list list
check "names are free again" eval '! grep -q ghost /run/printed'
refuse "a verb without a schema does not take --json" serai pause --json Domain-0

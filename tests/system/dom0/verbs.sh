# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Every subcommand that xl has and serai has, too, at least once; what they print and how they end beside xl's.
. /lab/lib.sh

: >/run/verbs
serai() {
	local word
	for word; do
		case $word in
		-*) ;;
		*) break ;;
		esac
	done
	echo "$word" >>/run/verbs
	command serai "$@"
}
alike() { # "ARGUMENTS" [FILTER]
	# shellcheck disable=SC2086
	CLEAN=${2:-cat} check "$1 is xl's" same $1
}
memory() { grep -v '^free_memory' | sed -E '/^node:/,/^[^ ]/s/^( +0: +[0-9]+) +[0-9]+/\1 FREE/'; }
clock() { sed -E 's/[0-9]+:[0-9]{2}(:[0-9]{2})?/TIME/g; s/ +TIME/ TIME/g'; }

# --- the host ---------------------------------------------------------------------------------
modprobe loop # nobody here makes /dev/loop-control before
ip link add xenbr0 type bridge
ip link set xenbr0 up
alike "info" memory
alike "info -n" memory
alike "list" times
alike "list -v" times
alike "list -c" times
alike "list -Z" times
alike "list -n" times
alike "list 0" times
alike "vcpu-list" times
alike "cpupool-list"
alike "cpupool-list -c"
alike "sched-credit2"
alike "sched-credit2 -s"
alike "sched-credit2 -d 0"
alike "uptime" clock
alike "uptime -s" clock
alike "domid Domain-0"
alike "domname 0"
alike "dmesg"
check_out "version" '^serai [0-9]' serai version
check "debug-keys" serai debug-keys h
check_out "the key's answer is in the log" . serai dmesg
check "dmesg -c" serai dmesg -c
check "empties it" sh -c '[ "$(xl dmesg | wc -l)" -lt 3 ]'
check "sched-credit2 -s -r" serai sched-credit2 -s -r 2000
check_out "sets what xl sees" 'ratelimit=2000us' xl sched-credit2 -s

# --- a guest ----------------------------------------------------------------------------------
guest_config v1 "vcpus=2" "memory=128" "maxmem=160"
check "create" serai create v1.cfg || exit
check "it runs" guest_says v1 "guest up: v1, 2 cpus" || exit
alike "list" times
alike "list v1" times
alike "vcpu-list v1" times
alike "vcpu-list" times
alike "uptime v1" clock
alike "domid v1"
alike "domname $(xl domid v1)"
check "pause" serai pause v1
alike "list v1" times
check_out "it is" '^v1 .* .{2}p--- ' xl list v1
check "unpause" serai unpause v1
check "sched-credit2 -d" serai sched-credit2 -d v1 -w 512 -c 50
alike "sched-credit2"
check "vcpu-pin" serai vcpu-pin v1 1 0
check "vcpu-pin, soft" serai vcpu-pin v1 0 - 1
alike "vcpu-list v1" times
check "vcpu-pin all" serai vcpu-pin v1 all all all
check "vcpu-set 1" serai vcpu-set v1 1
_offline() { xl vcpu-list v1 | grep -Eq ' - +--p '; }
check "a vCPU goes" until_true 40 _offline
alike "vcpu-list v1" times
alike "list v1" times
check "vcpu-set 2" serai vcpu-set v1 2
_online() { ! _offline; }
check "and comes back" until_true 40 _online
# To a page or two of the guest's own.
has() { local m; m=$(xl list v1 | awk 'NR == 2 { print $3 }') && [ $((m - $1)) -ge -1 ] && [ $((m - $1)) -le 1 ]; }
check "mem-set 112" serai mem-set v1 112
check "the guest gives the rest back" until_true 40 has 112
check "mem-set 144" serai mem-set v1 144
check "and takes more" until_true 40 has 144
check "mem-max 152" serai mem-max v1 152
check_out "the limit is in the store" '^155648$' xenstore-read "/local/domain/$(xl domid v1)/memory/static-max"
refuse "mem-set beyond it" serai mem-set v1 156
alike "list v1" times

truncate -s 4M /root/disk.img
vbd() { [ "$(xl block-list v1 | awk 'NR == 2 { print $4 }')" = "$1" ]; }
vif() { [ "$(xl network-list v1 | awk 'NR == 2 { print $5 }')" = "$1" ]; }
alike "block-list v1"
check "block-attach" serai block-attach v1 /root/disk.img,raw,xvdb,w
check "the guest takes it" until_true 40 vbd 4
alike "block-list v1"
check "block-detach" serai block-detach v1 xvdb
alike "block-list v1"
check "no loop device is left" test -z "$(losetup -a)"
check "xl block-attach" xl block-attach v1 /root/disk.img,raw,xvdc,r
check "the guest takes it" until_true 40 vbd 4
alike "block-list v1"
check "block-detach of xl's" serai block-detach v1 xvdc
alike "network-list v1"
check "network-attach" serai network-attach v1 mac=00:16:3e:00:00:31 bridge=xenbr0
check "the guest takes it" until_true 40 vif 4
alike "network-list v1"
check_out "it is on the bridge" vif bridge link show master xenbr0
check "network-detach" serai network-detach v1 00:16:3e:00:00:31
alike "network-list v1"
check "xl network-attach" xl network-attach v1 bridge=xenbr0
check "the guest takes it" until_true 40 vif 4
alike "network-list v1"
check "network-detach of xl's" serai network-detach v1 0

check "sysrq" serai sysrq v1 h
check "the guest got it" guest_says v1 'sysrq: HELP'
check "trigger nmi" serai trigger v1 nmi 0
check "the guest got it" guest_says v1 'NMI received'
mkfifo /run/keys
serai console v1 </run/keys >/run/shown 2>&1 &
viewer=$!
exec 9>/run/keys
check "console shows" until_true 40 grep -aq '^tick' /run/shown
# shellcheck disable=SC2016  # the guest's shell counts
echo 'echo typed-$((20 + 1))' >&9
check "and takes what is typed" until_true 40 grep -aq 'typed-21' /run/shown
printf '\035' >&9
_left() { ! kill -0 $viewer; }
check "^] leaves" until_true 20 _left
exec 9>&-
check "dump-core" serai dump-core v1 /tmp/core
check "the core is an ELF file of the guest's size" \
	sh -c '[ "$(head -c 4 /tmp/core | tail -c 3)" = ELF ] && [ "$(stat -c %s /tmp/core)" -gt $((100 << 20)) ]'
rm -f /tmp/core
check_out "top" '^ *v1 ' serai top -b -i 2 -d 1
check_out "top, a line a vCPU" '^ +v?1' serai top -b -i 1 -v
check_out "top, as JSON" '"name": *"v1"' serai top --json -i 1

check "rename" serai rename v1 v2
check_out "its monitor goes along" '"monitored": *true' serai list --json v2
check "nobody holds the old name" flock -n /run/serai/v1.lock true
alike "list v2" times
check "save" serai save v2 /tmp/image
check "it is gone" guest_gone v2
check "restore -p" serai restore -p /tmp/image
check_out "it waits" '^v2 .* .{2}p--- ' xl list v2
check "unpause" serai unpause v2
rm -f /tmp/image
check "rename back" serai rename v2 v1

# The configuration a restart takes is the new one.
guest_config v1 "vcpus=1" "memory=128" "maxmem=160" "extra='console=hvc0 quiet lab.name=changed'"
check "config-update" serai config-update v1 v1.cfg
old=$(xl domid v1)
check "reboot -w" timeout 120 serai reboot -w v1
_new() { n=$(xl domid v1) && [ "$n" != "$old" ]; }
check "it comes back" until_true 60 _new
check "as the new configuration says" guest_says v1 "guest up: changed, 1 cpus"
check "shutdown -w" timeout 120 serai shutdown -w v1
check "it goes" until_true 40 guest_gone v1
check "dry run" serai -N create v1.cfg
check "changes nothing" guest_gone v1
check "create -p" serai create -p v1.cfg
check "destroy" serai destroy v1
check "it is gone" guest_gone v1

# --- exit codes -------------------------------------------------------------------------------
guest_config v3
check "create" serai create -q v3.cfg
# ends XL SERAI ARGUMENTS...: with these statuses ("=": whatever xl's is).
ends() {
	local a b want=$2
	xl "${@:3}" >/dev/null 2>&1 </dev/null
	a=$?
	serai "${@:3}" >/run/serai.out 2>&1 </dev/null
	b=$?
	[ "$want" = "=" ] && want=$a
	[ "$1" = "$a" ] || [ "$1" = "=" ] || echo "xl ${*:3}: $a"
	[ $b = "$want" ] || { echo "xl ${*:3}: $a, serai ${*:3}: $b: $(tail -n 2 /run/serai.out)"; return 1; }
}
different=0
while read -r words; do
	# shellcheck disable=SC2086
	ends "=" "=" $words || different=$((different + 1))
done <<'END'
list nobody
list --bogus
list -h
domid
domid nobody
domname
domname 999
domname nobody
destroy
destroy nobody
destroy 0
pause
pause nobody
pause v3
unpause nobody
unpause v3
shutdown
shutdown nobody
reboot nobody
vcpu-list nobody
vcpu-pin v3
vcpu-pin nobody 0 0
vcpu-pin v3 0 xyz
vcpu-pin v3 abc 0
vcpu-set v3
vcpu-set v3 abc
vcpu-set nobody 1
mem-set v3
mem-set v3 abc
mem-set nobody 100
mem-max v3 abc
mem-max nobody 100
info --bogus
dmesg --bogus
debug-keys
sched-credit2 -d nobody
sched-credit2 -w 5
sched-credit2 -d v3 -w 100000
cpupool-list nobody
block-attach v3
block-attach nobody /dev/loop0,raw,xvdb,w
block-detach v3
block-detach v3 xvdz
block-list
network-attach nobody
network-detach v3
network-detach v3 7
network-list
network-list nobody
rename v3
rename nobody other
rename v3 Domain-0
save v3
save nobody /tmp/x
restore
restore /nowhere
dump-core v3
dump-core nobody /tmp/x
sysrq v3
sysrq nobody h
trigger v3
trigger v3 bogus
trigger nobody nmi
uptime nobody
console nobody
create -n v3.cfg
config-update nobody v3.cfg
nosuchverb
help
help list
END
# Where xl says more, or less, than that it failed.
ends 6 2 create || different=$((different + 1))
ends 3 1 create /nowhere || different=$((different + 1))
ends 0 1 block-list nobody || different=$((different + 1))
ends 0 1 help nosuchverb || different=$((different + 1))
check "every one of them ends as with xl ($different do not)" test $different = 0
check "destroy" serai destroy v3

# Elsewhere: migrate, migrate-receive, stream and metrics in serai.sh, cpu-policy in policy.sh, convert and fetch in
# tests/golden. They are not xl's, or have no use without a second host.
printf '%s\n' migrate migrate-receive stream metrics cpu-policy convert fetch >>/run/verbs
left_out=$(command serai help | sed -n '/^Verbs/,$s/^ \([a-z0-9-]*\) .*/\1/p' | sort | comm -23 - <(sort -u /run/verbs) | tr '\n' ' ')
check "no verb is left out ($left_out)" test -z "$left_out"

# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The tour of scripts/demo: runs on host a of two. Lines with "@@ info step=", "show=", "aloud=" and
# "bar=" are what scripts/lib/demo.py makes readable. DEMO_DISK: there is a Debian system on /dev/vda.
. /lab/lib.sh
step() { printf '\n@@ info step=%s\n' "$*"; }
indent() { while IFS= read -r l; do printf '@@ info show=  %s\n' "$l"; done; }
show() {
	printf '\n@@ info show=%s$ %s\n' "$(hostname)" "$*"
	"$@" 2>&1 | indent
}
# Lines the guest sends, as they come.
aloud() { while IFS= read -r l; do printf '\n@@ info aloud=%s\n' "$l"; done; }
ip=192.168.77.50

step "two hosts are up: a started by GRUB from a disk image, b by QEMU; ssh and a shared NBD disk between them"
check "a reaches b" until_true 120 ssh b true || exit
show sh -c 'serai info | grep -E "^(host|xen_version|xen_caps|total_memory|xen_scheduler) "'
step "a guest is created on a"
if [ -n "${DEMO_DISK:-}" ]; then
	debian_config demo $ip "memory=160"
	sed -i 's/10.0.2.2:/:/' demo.cfg
else
	guest_config demo
fi
check "serai create demo.cfg" serai create demo.cfg || exit
if [ -n "${DEMO_DISK:-}" ]; then
	check "Debian has booted in it, to its login" guest_says demo "debian login:" 200 || exit
	check "it is on the network" until_true 60 in_guest $ip true || exit
	step "it counts aloud, through one TCP connection to a that has to stay open"
	socat -u TCP-LISTEN:9100,reuseaddr - | tee /tmp/lines | aloud &
	in_guest $ip "setsid bash -c 'n=0; while sleep 1; do n=\$((n + 1)); echo \"tick \$n: up for \$(cut -d\" \" -f1 /proc/uptime) s\"; done | socat -u - TCP:192.168.77.1:9100' >/dev/null 2>&1 </dev/null &"
else
	check "it is up" guest_says demo "guest up" || exit
	step "it counts aloud on its console"
	log=/var/log/xen/console/guest-demo.log
	only_ticks() { while IFS= read -r l; do case $l in tick*) printf '%s\n' "$l" | tee -a /tmp/lines ;; esac; done; }
	tail -f $log | only_ticks | aloud &
	ssh -n b "until [ -e $log ]; do sleep 0.2; done; exec tail -n 1000 -f $log" | only_ticks | aloud &
fi
ticks() { sed -n 's/^tick \([0-9]*\).*/\1/p' /tmp/lines | tail -n 1; }
_counted() { n=$(ticks) && [ "${n:-0}" -ge "$1" ]; }
check "it counts" until_true 60 _counted 3 || exit
show serai list
step "it moves to b while it counts: serai migrate demo b"
before=$(ticks)
bars() {
	while read -r word rest; do
		if [ "$word" = progress ]; then printf '\n@@ info bar=%s\n' "$rest"; else printf '@@ info show=  %s %s\n' "$word" "$rest"; fi
	done
}
move() { serai migrate --progress demo b 2> >(bars >&3); }
exec 3>&1
check "the move is made" move || exit
at=$(ticks)
check "it counts on (it had come to $before before the move)" until_true 60 _counted $((at + 3))
show ssh -n b serai list
show serai list
check "b has it" ssh -n b "serai domid demo"
refuse "a has not" serai domid demo
if [ -n "${DEMO_DISK:-}" ]; then
	cp /tmp/lines /tmp/seen
	check "of what it counted, nothing was lost" awk '/^tick/ { sub(":", "", $2); if ($2 != ++n) bad = 1 } END { exit bad || !n }' /tmp/seen
fi
if [ -n "${DEMO_SHELL:-}" ]; then
	step "a shell on a. The guest runs on b: ssh b serai list; serai help; ssh b serai migrate demo a. exit ends the demo"
	printf '\n@@ shell\n'
	kill %1 2>/dev/null
	setsid cttyhack bash -i </dev/console >/dev/console 2>&1
else
	step "the guest is destroyed, the hosts power off"
	check "destroy" ssh -n b serai destroy demo
fi

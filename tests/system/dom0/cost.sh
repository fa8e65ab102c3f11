# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What making a domain costs: hypercalls, requests to xenstored, wall time; serai create -p beside xl create -p.
# With LAB_COUNTED the machine counts instructions (icount), one a nanosecond, and dom0 has the only CPU: in place of
# wall time is what dom0 was not idle, which is what the tool, the daemons, their kernel and the hypervisor executed.
. /lab/lib.sh
work=/var/tmp/cost
mkdir -p $work
cd $work || exit
times=${LAB_TIMES:-5}
export SERAI_CACHE_DIR=$work/cache # this host has no /var/cache

make_one() { "$1" create -q -p "/root/$2.cfg" >/dev/null 2>$work/err || cat $work/err >&2; }
unit=us measured="wall time" share="a quarter" percent=25
clock() { now=${EPOCHREALTIME/./}; }
if [ -n "${LAB_COUNTED:-}" ]; then
	# What is asked for is the wall time; of a kernel that is tiny, starting a process is most of the instructions.
	unit="thousand instructions" measured=instructions share=all percent=100
	# Of /proc/uptime's hundredths of a second.
	clock() {
		local up idle
		read -r up idle </proc/uptime
		now=$(((${up/./} - ${idle/./}) * 10000))
	}
fi
# wall TOOL CONFIG: the median of so many. Destroying is not measured.
wall() {
	local i start end
	for ((i = 0; i < times; i++)); do
		clock
		start=$now
		make_one "$1" "$2"
		clock
		end=$now
		"$1" destroy "$2" >/dev/null 2>&1
		echo $((end - start))
	done | sort -n | sed -n "$((times / 2 + 1))p"
}
# Calls of /dev/xen/privcmd by one create: hypercalls, and mappings of foreign memory.
privcmd() {
	rm -f $work/trace*
	# -e: without the process that stays behind, for which strace would wait.
	timeout 60 strace -f -qq -e trace=ioctl -o $work/trace "$1" create -e -q -p "/root/$2.cfg" >/dev/null 2>&1
	hypercalls=$(grep -c '_IOC(_IOC_NONE, 0x50, 0, ' $work/trace)
	mappings=$(grep -Ec '_IOC\(_IOC_NONE, 0x50, 0x?[2-9], ' $work/trace)
	"$1" destroy "$2" >/dev/null 2>&1
}
# Requests that reach xenstored, by its own log.
requests() {
	xenstore-control logfile $work/log >/dev/null && xenstore-control log on >/dev/null
	: >$work/log
	make_one "$1" "$2"
	xenstore-control log off >/dev/null
	grep -acE '(^| )IN 0x' $work/log
	"$1" destroy "$2" >/dev/null 2>&1
}

measure() {
	local name=$1 tool n
	local -A time
	for tool in xl serai; do
		# The first one fills caches; serai unpacks the kernel and keeps it.
		clock
		n=$now
		make_one $tool "$name"
		clock
		info "$name-$tool-first" "$((now - n)) $unit"
		$tool destroy "$name" >/dev/null 2>&1
		time[$tool]=$(wall $tool "$name")
		privcmd $tool "$name"
		n=$(requests $tool "$name")
		info "$name-$tool" "${time[$tool]} $unit, $hypercalls hypercalls, $mappings mappings, $n requests to xenstored"
		eval "${tool}_calls=$hypercalls ${tool}_requests=$n"
	done
	info "$name-share" "serai takes $((time[serai] * 100 / time[xl]))% of what xl takes"
	check "$name: at most $share of the $measured" test $((time[serai] * 100)) -le $((time[xl] * percent))
	# shellcheck disable=SC2154 # set by eval above
	check "$name: no more hypercalls" test "$serai_calls" -gt 0 -a "$serai_calls" -le "$xl_calls"
	# shellcheck disable=SC2154
	check "$name: no more requests to xenstored" test "$serai_requests" -gt 0 -a "$serai_requests" -le "$xl_requests"
}

# A kernel that needs no unpacking, as small as guests get; Debian's, with a ramdisk; and that one with a disk and an interface.
guest_config tiny "kernel='/guests/load.elf'" "ramdisk=''" "memory=32"
sed -i '/ramdisk/d' /root/tiny.cfg
guest_config debian
ip link add xenbr0 type bridge 2>/dev/null
ip link set xenbr0 up
truncate -s 16M $work/disk
guest_config devices "disk=['$work/disk,raw,xvda,w']" "vif=['bridge=xenbr0']"
measure tiny
measure debian
[ -n "${LAB_COUNTED:-}" ] && exit
measure devices
# Where serai's time goes, for whoever reads the log.
timeout 60 strace -f -w -c -o $work/calls serai create -e -q -p /root/devices.cfg >/dev/null 2>&1
serai destroy devices
head -n 10 $work/calls
timeout 60 strace -f -r -o $work/calls serai create -e -q -p /root/devices.cfg >/dev/null 2>&1
serai destroy devices
awk '$2 > 0.03' $work/calls | cut -c1-150 | head -n 40

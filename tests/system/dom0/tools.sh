# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Debian's own tools, unmodified, on a host without guests.
. /lab/lib.sh

check_out "xenstored runs" . pidof xenstored
check_out "xenconsoled runs" . pidof xenconsoled
check_out "xen-init-dom0 named dom0" '^Domain-0$' xenstore-read /local/domain/0/name
for key in host release nr_cpus max_cpu_id nr_nodes cpu_mhz hw_caps virt_caps total_memory free_memory \
	xen_major xen_minor xen_extra xen_version xen_caps xen_scheduler xen_pagesize platform_params \
	xen_commandline cc_compiler build_id; do
	xl info | grep -q "^$key *:" || missing="$missing $key"
done
check "xl info has every line (missing:$missing)" test -z "$missing"
check_out "xl info: version" '^xen_version *: 4\.17' xl info
check_out "xl info: caps" 'xen-3\.0-x86_64' xl info
check_out "xl info: virt_start" 'virt_start=0xffff800000000000' xl info
check_out "xl info -n: topology" '^cpu:|^ *0: ' xl info -n
check_out "xl list" '^Domain-0' xl list
check_out "xl list -l" '"domid": 0' xl list -l
check_out "xl list -v" '^Domain-0' xl list -v
check_out "xl vcpu-list" '^Domain-0 +0 +0 ' xl vcpu-list
check_out "xl dmesg" . xl dmesg
check "xl dmesg -c" xl dmesg -c
check "xl debug-keys h" xl debug-keys h
check_out "the key's answer is in the log" . xl dmesg
for k in q r d; do
	check "xl debug-keys $k" xl debug-keys $k
done
check_out "xl sched-credit2" '^Domain-0 +0 +256' xl sched-credit2
check "xl sched-credit2 sets a weight" xl sched-credit2 -d 0 -w 512
check_out "and shows it" '^Domain-0 +0 +512' xl sched-credit2 -d 0
check_out "xl sched-credit2 pool" 'ratelimit' xl sched-credit2 -s
check_out "xl cpupool-list" 'Pool-0' xl cpupool-list
check "xl vcpu-pin" xl vcpu-pin 0 0 0
check_out "and shows it" '^Domain-0 +0 +0 +0 +.* 0 / all' xl vcpu-list 0
check "xl vcpu-pin all" xl vcpu-pin 0 0 all
check_out "xl uptime" 'Domain-0' xl uptime
check_out "xl domid" '^0$' xl domid Domain-0
check_out "xl domname" '^Domain-0$' xl domname 0
check_out "xentop" '^ *Domain-0 +-----r' xentop -b -i1
check_out "xentop, two samples" 'Domain-0' xentop -b -i2 -d1
check_out "xen-cpuid" 'PV' xen-cpuid -p
check_out "xenstore-ls" 'domain = ' xenstore-ls /local
check "xenstore-write and -read" sh -c 'xenstore-write /tool/a/b 1 && [ "$(xenstore-read /tool/a/b)" = 1 ] && xenstore-rm /tool/a'
check_out "dom0's balloon is where it was set" '^[0-9]+$' xenstore-read /local/domain/0/memory/target
check "xl mem-set 0 down" xl mem-set 0 900
_shrunk() { [ "$(xl list 0 | awk 'NR == 2 { print $3 }')" -le 904 ]; }
check "dom0 gave the memory back" until_true 20 _shrunk
check "xl mem-set 0 up" xl mem-set 0 1024
_grown() { [ "$(xl list 0 | awk 'NR == 2 { print $3 }')" -ge 1020 ]; }
check "dom0 took it again" until_true 20 _grown
refuse "xl domid of a name nobody has" xl domid nobody
refuse "xl destroy of dom0" xl destroy 0

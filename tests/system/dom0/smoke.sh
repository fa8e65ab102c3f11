# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# dom0 is up, sees its processors and memory, and the tools can talk to the hypervisor.
. /lab/lib.sh

vcpus=$(xl list -l Domain-0 2>/dev/null | grep -c '"vcpus"')
info nproc "$(nproc)"
info mem_total_kib "$(awk '/^MemTotal/ { print $2 }' /proc/meminfo)"
check_out "this is a PV control domain" control_d cat /proc/xen/capabilities
check_out "the hypervisor is named" '^xen$' cat /sys/hypervisor/type
check_out "xl info counts the processors" "^nr_cpus *: *$LAB_CPUS\$" xl info
# The machine's memory, without what firmware, holes and the hypervisor's own tables take.
total=$(xl info total_memory)
check "total memory is the machine's ($total MiB of $LAB_MEMORY)" \
	test "$total" -le "$LAB_MEMORY" -a "$total" -ge $((LAB_MEMORY - 32 - LAB_MEMORY / 64))
check_out "xl list shows Domain-0" "^Domain-0 +0 +[0-9]+ +$(nproc) +r" xl list
check_out "every vCPU ran" "^$(nproc)\$" \
	sh -c "xl vcpu-list 0 | awk 'NR > 1 && \$6 > 0' | wc -l"
check "time passes" sh -c 'a=$(cut -d. -f1 /proc/uptime); sleep 2; b=$(cut -d. -f1 /proc/uptime); [ $((b - a)) -ge 2 ] && [ $((b - a)) -le 4 ]'
check "a process is forked on every processor" sh -c 'for c in $(seq 0 $(($(nproc) - 1))); do taskset $((1 << c)) true || exit 1; done'
[ -n "$vcpus" ]

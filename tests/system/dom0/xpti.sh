# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Meltdown isolation, on because the processor needs it: dom0 and a guest run on roots without the hypervisor.
. /lab/lib.sh

check_out "the boot log says so" "page tables isolated \(XPTI\): dom0 yes, other domains yes" xl dmesg
guest_config g1 "vcpus=2" "on_crash='destroy'"
check "a guest is created" xl create -q g1.cfg || exit
check "it runs" guest_ticks g1 2 120

# What the roots map besides the guest's own: named line by line, checked by the hypervisor, checked here.
xl dmesg -c >/dev/null
xl debug-keys x
_listed() { xl dmesg | tee /tmp/x | grep -q "CPU $((LAB_CPUS - 1)): [0-9]* pages that should not"; }
check "debug key x lists them" until_true 20 _listed
check_out "on every CPU nothing else" "^$LAB_CPUS\$" grep -c ': 0 pages that should not be there' /tmp/x
pages=$(grep -c -- ' -> ' /tmp/x)
info pages "$pages"
check "they are few ($pages)" test "$pages" -ge $((LAB_CPUS * 9)) -a "$pages" -le $((LAB_CPUS * 24))
check "no page of the direct map" sh -c "! grep -- ' -> ' /tmp/x | grep -q 'ffff8[3-7]'"
check "none both writable and executable" sh -c "! grep -- ' -> ' /tmp/x | grep -q ' wx '"
check_out "the vCPU's page is one of them" "^$LAB_CPUS\$" grep -c 'running vCPU' /tmp/x

check "pages come and go" sh -c 'i=0; while [ $i -lt 50 ]; do /bin/true; i=$((i + 1)); done'
check "the guest is still there" guest_ticks g1 5 60
check "it goes" xl destroy g1
check "no complaint in the log" sh -c "! xl dmesg | grep -i -e 'xpti: ' -e panic -e fatal"

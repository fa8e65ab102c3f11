# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# In dom0, on one processor: tests/guests/abi/x87save.c is descheduled for a domain that uses the FPU, and goes
# through a file, four times. What it says about itself is its console, shown at the end.
. /lab/lib.sh
log=/var/log/xen/console/guest-x87save.log
mount -t tmpfs tmp /tmp

cat >/tmp/x87save.cfg <<-EOF
	name="x87save"
	type="pv"
	kernel="/guests/x87save.elf"
	memory=16
	on_poweroff="destroy"
	on_crash="destroy"
EOF
cat >/tmp/fpuload.cfg <<-EOF
	name="fpuload"
	type="pv"
	kernel="/guests/fpuload.elf"
	extra="rounds=100000000 seed=7"
	memory=16
EOF

# Processor time of the other domain, in tenths of a second; it does nothing but use the FPU.
used() { xl list fpuload | awk 'NR == 2 { print int($6 * 10) }'; }
used_more() { [ "$(used)" -gt "$1" ]; }
# The other domain has the processor while this one's x87 state waits for being looked at.
other_runs() { # NUMBER
	guest_says x87save "x87save: ready $1" 120 || return
	xl unpause fpuload && until_true 120 used_more "$(($(used) + 2))" && xl pause fpuload || return
	xl debug-keys f
	xenstore-write "/local/domain/$(xl domid x87save)/data/go" "$1"
}
through_a_file() { # NUMBER
	guest_says x87save "x87save: save $1" 120 || return
	xl debug-keys f # how often its state was saved, before it is another domain
	xl save x87save /tmp/image || return
	[ -s /tmp/image ] && guest_gone x87save || return
	xl restore /tmp/image
}

check "another domain that uses the FPU" xl create -q -p /tmp/fpuload.cfg
check "the domain" xl create -q /tmp/x87save.cfg
start=$(date +%s)
for n in 1 2; do
	check "descheduled for another domain, $n" other_runs $n
done
for n in 1 2 3 4; do
	# A processor without XSAVE has nothing to show in the last two.
	[ $n -le 2 ] || grep -qw xsave /proc/cpuinfo || break
	check "saved to a file and restored, $n" through_a_file $n || break
done
check "its last word" guest_says x87save 'SG end' 120
info seconds_of_work $(($(date +%s) - start))
cat $log

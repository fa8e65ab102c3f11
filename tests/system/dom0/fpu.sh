# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Two domains and dom0 share one processor and keep every x87, SSE and AVX register in use; each looks
# whether its registers are its own. LAB_ROUNDS says for how long; one domain is paused LAB_PAUSES times.
. /lab/lib.sh

instance() { # NAME SEED
	cat > "$1.cfg" <<-EOF
		name='$1'
		type='pv'
		kernel='/guests/fpuload.elf'
		memory=32
		vcpus=1
		cpus='0'
		on_poweroff='destroy'
		extra='rounds=$LAB_ROUNDS seed=$2'
	EOF
	xl create -q "$1.cfg"
}

check "first domain starts" instance fpu1 11
check "second domain starts" instance fpu2 22
# It may be over by then.
pause() { xl pause fpu2 && sleep 0.2 && xl unpause fpu2 || guest_gone fpu2; }
for n in $(seq "${LAB_PAUSES:-0}"); do
	sleep 1
	guest_gone fpu2 > /dev/null 2>&1 && break
	check "pause and go on $n" pause
done
check "first domain's registers" guest_says fpu1 'SG verdict success' 300
check "second domain's registers" guest_says fpu2 'SG verdict success' 300
xl debug-keys f

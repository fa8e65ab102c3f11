#!/bin/bash
# usage: .boot.sh [timeout] [hv opts] [kernel opts] [qemu opts...]
C=/work/tmp/infra/cache; K=$(ls $C/debs-*/boot/vmlinuz* | head -1); I=$(ls -t $C/dom0-*.cpio | head -1)
T=${1:-20}; HV="$2"; KO="$3"; shift 3
timeout $T qemu-system-x86_64 -m 2048 -cpu EPYC,-smap,-smep,-monitor,-rdtscp -display none -serial stdio -no-reboot -kernel ${IMG:-/work/wt/lead/build/hypervisor/serai.elf} -append "com1=115200,8n1 console=com1 loglvl=all guest_loglvl=all $HV" -initrd "$K earlyprintk=xen console=hvc0 $KO,$I" "$@" 2>&1 | grep -v "TCG doesn't support"

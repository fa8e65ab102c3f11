#!/bin/bash
# run with -smp etc, after N sec dump registers
C=/work/tmp/infra/cache; K=$(ls $C/debs-*/boot/vmlinuz* | head -1); I=$(ls -t $C/dom0-*.cpio | head -1)
N=$1; HV="$2"; KO="$3"; shift 3
(sleep $N; echo "info registers -a"; sleep 0.5;  echo "info registers -a"; sleep 1; echo quit) | timeout 120 qemu-system-x86_64 -m 2048 -cpu EPYC,-smap,-smep,-monitor,-rdtscp -display none -serial file:/work/tmp/lead/ser.log -monitor stdio -no-reboot -kernel /work/wt/lead/build/hypervisor/serai.elf -append "com1=115200,8n1 console=com1 loglvl=all guest_loglvl=all $HV" -initrd "$K earlyprintk=xen console=hvc0 $KO,$I" "$@" 2>&1 | grep -v "TCG doesn't support"

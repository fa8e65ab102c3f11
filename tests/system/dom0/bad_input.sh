# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What serai create refuses: exit status 1, an error that names the object, and nothing left behind. What is there
# before and after each refusal is compared: domains, nodes, loop and nbd devices, interfaces, locks, processes.
. /lab/lib.sh
work=/var/tmp/bad
mkdir -p $work/web
cd $work || exit
export SERAI_FETCH=/usr/local/libexec/serai/serai-fetch SERAI_CACHE_DIR=$work/cache

# Domain 0's own nodes count by name, others with all they say. Made fifty times on an emulated machine, so with as few
# programs as there can be.
there() {
	local f comm words
	{
		serai list --json
		xenstore ls -f
	} 2>/dev/null | awk '/"(domid|name)"/ || /^\/(libxl|vm)/ && !/start_time/ ||
		/^\/local\/domain/ && !/^\/local\/domain\/0\/memory/'
	for f in /sys/block/loop*/loop/backing_file; do
		[ -e "$f" ] && echo "$f $(<"$f")"
	done
	printf '%s\n' /sys/block/nbd*/pid /sys/class/net/* /run/serai/* /var/lib/xen/*
	for f in /proc/[0-9]*/comm; do
		read -r comm 2>/dev/null <"$f" || continue
		case $comm in
		serai* | qemu-nbd)
			mapfile -d '' -t words <"${f%comm}cmdline"
			echo "$f ${words[*]}"
			;;
		esac
	done
}

# bad NAME REGEX CONFIG-LINE...: a domain that cannot be made.
bad() {
	local name=$1 re=$2
	shift 2
	guest_config bad "$@"
	refused "$name" "$re" serai create -q -p /root/bad.cfg
}
# refused NAME REGEX COMMAND...
refused() {
	local name=$1 re=$2 rc start=${EPOCHREALTIME/./} end after
	shift 2
	"$@" >$work/out 2>$work/err
	rc=$?
	end=${EPOCHREALTIME/./}
	after=$(there)
	echo "$(((end - start) / 1000)) ms, and $(((${EPOCHREALTIME/./} - end) / 1000)) to look around"
	if [ $rc -eq 1 ] && [[ $(<$work/err) =~ $re ]] && [ "$after" = "$before" ]; then
		ok "$name"
		return
	fi
	head -n 5 $work/out $work/err
	diff <(echo "$before") <(echo "$after")
	not_ok "$name (exit $rc, wanted 1 and /$re/)"
}

# --- what has to be there to be in the way ---
truncate -s 8M used.img free.img
guest_config used "disk=['$work/used.img,raw,xvda,w']"
check "a domain to collide with" serai create -p /root/used.cfg || exit
modprobe -qa loop ext4
mounted=$(losetup -f)
mkdir mnt
check "a mounted disk" sh -c "mkfs.ext4 -q free.img && losetup $mounted free.img && mount -t ext4 $mounted mnt"
check "a qcow2 image" qemu-img create -q -f qcow2 good.qcow2 8M
check "the nbd driver" modprobe nbd nbds_max=4
cp /guests/vmlinuz vmlinuz
head -c 100000 vmlinuz >short
head -c 1000000 /dev/urandom >noise
echo hello >text
cp text web/kernel
busybox httpd -p 127.0.0.1:8000 -h $work/web
before=$(there)

# --- configurations: the corpus of tests/golden, with the same words ---
n=0 wrong=0
for f in /golden/bad-*.cfg; do
	f=${f##*/}
	n=$((n + 1))
	want=$(<"/golden/${f%.cfg}.err")
	err=$(cd /golden && serai create -q -p "$f" 2>&1 >$work/out)
	[ $? -eq 1 ] && [[ $'\n'$err == *$'\nserai create:'"${want#serai convert:}" ]] && continue
	wrong=$((wrong + 1))
	echo "$f:"
	head -n 3 $work/out
	echo "$err"
done
info malformed $n
check "malformed configurations" test $wrong = 0 -a $n -gt 40
check "leave nothing behind" diff <(echo "$before") <(there)
refused "no configuration" 'bad/none.cfg: No such file' serai create -q $work/none.cfg
refused "a directory for a configuration" 'bad/web: not a file' serai create -q $work/web
refused "a binary for a configuration" 'noise' serai create -q $work/noise

# --- kernels ---
bad "a kernel that is not there" '/nowhere/kernel: No such file' "kernel='/nowhere/kernel'"
bad "a ramdisk that is not there" '/nowhere/ramdisk: No such file' "ramdisk='/nowhere/ramdisk'"
bad "a directory for a kernel" 'bad/web: not a file' "kernel='$work/web'"
bad "a text for a kernel" 'kernel .*bad/text: ' "kernel='$work/text'"
bad "noise for a kernel" 'kernel .*bad/noise: ' "kernel='$work/noise'"
bad "a program for a kernel" 'kernel /bin/bash: ' "kernel='/bin/bash'"
bad "a kernel cut short" 'kernel .*bad/short: ' "kernel='$work/short'"
bad "a PVH domain" 'type = "pvh"' "type='pvh'"
bad "an HVM domain" 'type = "hvm"' "type='hvm'"

# --- names, memory, CPUs ---
bad "a name in use" '"used"' "name='used'"
bad "more memory than there is" 'needs [0-9]+ MiB and the host has [0-9]+ MiB free' "memory=1000000"
bad "less memory than the kernel" 'bad: cannot be built: ' "memory=4"
bad "less memory than the ramdisk" 'bad: cannot be built: ' "memory=24"
bad "CPUs this host has not" 'cpus = "500"' "cpus='500'"
bad "a pool this host has not" 'no CPU pool "swimming"' "pool='swimming'"
bad "a CPU feature nobody knows" '"warp" is not the name' "cpuid='host,warp=1'"

# --- disks ---
bad "a disk that is not there" 'disk /nowhere/disk: No such file' "disk=['/nowhere/disk,raw,xvda,w']"
bad "a directory for a disk" 'bad/web: neither' "disk=['$work/web,raw,xvda,w']"
bad "a file another domain writes" 'used.img .*in use by domain' "disk=['$work/used.img,raw,xvda,w']"
bad "a device that is mounted" "$mounted is in use on this host" "disk=['phy:$mounted,xvda,w']"
bad "a second disk that fails" 'disk /nowhere/disk' "disk=['$work/free.img,raw,xvda,r','/nowhere/disk,raw,xvdb,w']"
bad "qcow2 that is none" 'noise: qemu-nbd: .*not in qcow2 format' "disk=['$work/noise,qcow2,xvda,w']"
bad "a server that is not there" 'nbd://127.0.0.1:1/x: qemu-nbd: ' "disk=['nbd://127.0.0.1:1/x,raw,xvda,w']"
bad "a qcow2 disk twice" 'qemu-nbd: .*lock' "disk=['$work/good.qcow2,qcow2,xvda,w','$work/good.qcow2,qcow2,xvdb,w']"
guest_config bad "disk=['$work/good.qcow2,qcow2,xvda,w']"
refused "no qemu-nbd" 'cannot be run: install' env PATH=/usr/local/bin serai create -q -p /root/bad.cfg
until_true 10 rmmod nbd
mv /lib/modules/"$(uname -r)" /lib/modules/away
bad "no nbd driver" 'load the module nbd' "disk=['$work/good.qcow2,qcow2,xvda,w']"
mv /lib/modules/away /lib/modules/"$(uname -r)"
bad "to write what a URL names" 'cannot be written to' "disk=['http://127.0.0.1:8000/kernel,raw,xvda,w']"

# --- networks ---
bad "a bridge that is not there" 'bridge nobridge does not exist' "vif=['bridge=nobridge']"
bad "a bridge that is not there, after a disk" 'bridge nobridge' "disk=['$work/good.qcow2,qcow2,xvda,w']" "vif=['bridge=nobridge']"
bad "a script that is not there" '/nowhere/script' "vif=['script=/nowhere/script']"

# --- URLs ---
zeros=0000000000000000000000000000000000000000000000000000000000000000
bad "a server that does not answer" '127.0.0.1:1' "kernel='http://127.0.0.1:1/kernel'"
bad "a file the server has not" '404' "kernel='http://127.0.0.1:8000/none'"
bad "a checksum that is another" "its SHA-256 is [0-9a-f]{64}, and $zeros" "kernel='http://127.0.0.1:8000/kernel#sha256=$zeros'"
bad "a checksum that is none" 'only sha256=' "kernel='http://127.0.0.1:8000/kernel#md5=0'"
bad "what is no kernel, by URL" 'kernel http://127.0.0.1:8000/kernel: ' "kernel='http://127.0.0.1:8000/kernel'"

# --- the host ---
refused "no xenstored" 'cannot reach xenstored' env XENSTORED_PATH=/nowhere serai create -q -p /root/used.cfg
check "the one in the way goes" serai destroy used
check "and its lock" until_true 10 sh -c '! ls /run/serai/used.lock'

# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# For scripts that run in dom0: `. /lab/lib.sh`. Every check prints one line for the harness, and
# what went wrong only when something did.

_failed=0
trap 'exit $((_failed ? 1 : 0))' EXIT

ok() { printf '\n@@ ok %s\n' "$*"; }
not_ok() {
	_failed=$((_failed + 1))
	printf '\n@@ not ok %s\n' "$*"
}
# info KEY VALUE: a figure for the log and the report.
info() { printf '\n@@ info %s=%s\n' "$1" "${*:2}"; }

# check NAME COMMAND...: ok when the command succeeds.
check() {
	local name=$1 out rc
	shift
	out=$("$@" 2>&1)
	rc=$?
	if [ $rc -eq 0 ]; then
		ok "$name"
	else
		printf '%s\n' "$out" | tail -n 30
		not_ok "$name (exit $rc)"
	fi
	return $rc
}

# check_out NAME REGEX COMMAND...: ok when it succeeds and prints something that matches.
check_out() {
	local name=$1 re=$2 out rc
	shift 2
	out=$("$@" 2>&1)
	rc=$?
	if [ $rc -eq 0 ] && grep -Eq -- "$re" <<<"$out"; then
		ok "$name"
		return 0
	fi
	printf '%s\n' "$out" | tail -n 30
	not_ok "$name (exit $rc, wanted /$re/)"
	return 1
}

# refuse NAME COMMAND...: ok when it fails.
refuse() {
	local name=$1 out
	shift
	if out=$("$@" 2>&1); then
		printf '%s\n' "$out" | tail -n 30
		not_ok "$name (succeeded)"
		return 1
	fi
	ok "$name"
}

# until_true SECONDS COMMAND...: waits for something that has no event to wait for.
until_true() {
	local end=$(($(date +%s) + $1 * ${LAB_SLOW:-1}))
	shift
	while ! "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt "$end" ] || return 1
		sleep 0.2
	done
}

# guest_config NAME [LINE...]: a configuration of the little guest, at /root/NAME.cfg. (norandmaps: lab/host.py says why.)
guest_config() {
	local name=$1
	shift
	{
		printf '%s\n' "name='$name'" "type='pv'" "kernel='/guests/vmlinuz'" \
			"ramdisk='/guests/initrd'" "memory=96" "vcpus=1" \
			"extra='console=hvc0 quiet norandmaps lab.name=$name'"
		printf '%s\n' "$@"
	} >"/root/$name.cfg"
}

# debian_config NAME ADDRESS [LINE...]: a Debian guest on dom0's /dev/vda, with a shell on a port.
debian_config() {
	local name=$1 addr=$2
	shift 2
	guest_config "$name" "memory=256" "disk=['phy:/dev/vda,xvda,w']" \
		"vif=['mac=00:16:3e:00:00:${addr##*.},bridge=xenbr0']" \
		"extra='console=hvc0 norandmaps lab.root=/dev/xvda systemd.show_status=0 net.ifnames=0 ip=$addr::10.0.2.2:255.255.255.0::eth0:off'" "$@"
}
# in_guest ADDRESS COMMAND: runs it in a Debian guest; its output, and its status. The line with the status is the end:
# what COMMAND leaves running may hold the guest's side of the connection for as long as it likes.
in_guest() {
	local line fd
	exec {fd}<>"/dev/tcp/$1/9000" || return
	printf '%s\necho "lab-status=$?"\n' "$2" >&"$fd"
	while IFS= read -r line <&"$fd"; do
		case $line in
		*lab-status=*)
			printf '%s' "${line%lab-status=*}"
			exec {fd}>&-
			[ "${line##*=}" = 0 ]
			return
			;;
		esac
		printf '%s\n' "$line"
	done
	exec {fd}>&-
	return 1
}

# The log xenconsoled keeps of a guest's console.
guest_log() { cat "/var/log/xen/console/guest-$1.log"; }
# guest_says NAME REGEX [SECONDS]: waits until the guest's console shows it.
_guest_matches() { grep -Eq -- "$2" "/var/log/xen/console/guest-$1.log"; }
guest_says() { _guest_until _guest_matches "$@"; }
_guest_until() {
	until_true "${4:-60}" "$1" "$2" "$3" && return
	tail -n 60 "/var/log/xen/console/guest-$2.log"
	return 1
}
# guest_ticks NAME N [SECONDS]: waits until it has counted to N. One line of the count may have been cut in two by one
# of its kernel's, so no particular line is waited for.
_guest_ticked() {
	local last
	last=$(grep -ao 'tick [0-9]* ' "/var/log/xen/console/guest-$1.log" | cut -d' ' -f2 | sort -n | tail -n 1)
	[ "${last:-0}" -ge "$2" ]
}
guest_ticks() { _guest_until _guest_ticked "$@"; }
guest_gone() { ! xl domid "$1"; }
# freed MIB: a check that as much of the host's memory is free, at the latest when the backends have let go of what
# they had mapped; and a figure, how long that took.
_free() { [ "$(xl info free_memory)" -ge "$1" ]; }
freed() {
	local start
	start=$(cut -d. -f1 /proc/uptime)
	check "all memory is free again" until_true 60 _free "$1" || return
	info freed_after_s $(($(cut -d. -f1 /proc/uptime) - start))
}
# Lines of dmesg, as a regular expression, that a kernel in order does not write.
# shellcheck disable=SC2034
LAB_TROUBLE='cut here|BUG: |Oops|(rcu|detected).*stall|(soft|hard) lockup'

# Our store daemon's two processes. No programs here: each costs a second on an emulated machine under load.
store_keeper() { echo "$(</run/xenstored.pid)"; }
store_worker() {
	local k
	k=$(</run/xenstored.pid)
	REPLY=
	read -r 2>/dev/null <"/proc/$k/task/$k/children" # its line has no end, so the status says nothing
	[ -n "$REPLY" ] && echo "${REPLY% }"
}

# same ARGUMENTS: byte for byte what xl prints. Figures that move between two calls are blanked by $CLEAN; what moves
# seldom (a balloon on its way) may do so once between the two, not each time.
same() {
	local clean=${CLEAN:-cat} a b
	for _ in 1 2 3; do
		a=$(xl "$@" 2>/dev/null | $clean)
		b=$(serai "$@" 2>/dev/null | $clean)
		[ "$a" = "$b" ] && return
	done
	diff <(echo "$a") <(echo "$b")
}
# For it, of lists: where a vCPU is, what it does and how long it ran.
times() { sed -E 's/ ([0-9]+|-) +[rb-]{2}[p-] +[0-9]+\.[0-9]/ CPU STATE TIME/; s/[rbpscdw-]{6} +[0-9]+\.[0-9]/STATE TIME/'; }

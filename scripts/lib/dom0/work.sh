# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# For scripts that move a Debian guest about while it works (guest-work): `. /lab/work.sh`, after lib.sh.

# work_start IP HERE: starts the work in the guest; its count comes to dom0, at address HERE, through one connection,
# and nobody listens for a second one. Its lines are in /tmp/lines.
work_start() {
	socat -u TCP-LISTEN:9100,reuseaddr OPEN:/tmp/lines,creat,trunc &
	in_guest "$1" "cat >/root/work <<'EOF'
$(cat /lab/guest-work)
EOF
chmod +x /root/work; dmesg -C; (setsid sh -c '/root/work | socat -u - TCP:$2:9100' >/dev/null 2>&1 </dev/null &)"
}
work_lines() { grep -c '^tick' /tmp/lines; }
_work_grown() { [ "$(work_lines)" -gt "$1" ]; }
# work_goes_on LINES: it counts past so many lines.
work_goes_on() { until_true 60 _work_grown "$1"; }

# work_was_right IP: nothing was lost, by all that can be seen in the guest and of its connection.
work_was_right() {
	check "the work goes on" in_guest "$1" "pgrep -x work" || return
	check "disk and memory were right all the time" in_guest "$1" "cat /root/wrong 2>/dev/null; [ ! -e /root/wrong ]"
	check_out "it wrote its disk all the time" '^[1-9]' in_guest "$1" "cat /root/disk_rounds"
	check_out "and its memory" '^[1-9]' in_guest "$1" "cat /dev/shm/rounds"
	check "no warning in the guest" in_guest "$1" "! dmesg | grep -E -A 16 '$LAB_TROUBLE'"
	# The last line may be on its way.
	sed '$d' /tmp/lines >/tmp/seen
	check "no line of the connection was lost" awk '/^tick/ && $2 != ++n { print; bad = 1 } END { exit bad || n < 20 }' /tmp/seen
	check "its clocks never went back" awk '{ if ($3 < u || $4 < t) { print; bad = 1 } u = $3; t = $4 } END { exit bad }' /tmp/seen
	info longest_gap_s "$(awk 'NR > 1 && $4 - t > g { g = $4 - t } { t = $4 } END { print g }' /tmp/seen)"
	info ticks "$(work_lines)"
}

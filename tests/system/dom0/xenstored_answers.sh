# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What protocol.expected says is what Debian's own xenstored answers.
. /lab/lib.sh
check "Debian's daemon serves" test ! -e /lab/tools
/root/probe /run/xenstored/socket </root/protocol.txt >/root/answers 2>&1
grep -v '^#' /root/expected >/root/wanted
if diff /root/wanted /root/answers; then ok "every answer is as expected"; else not_ok "every answer is as expected"; fi

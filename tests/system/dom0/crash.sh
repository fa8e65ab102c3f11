# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What on_crash, on_poweroff and on_reboot say is what happens, and the next start is the same domain.
. /lab/lib.sh
free_before=$(xl info free_memory)

begin() { # ON_CRASH [LINE...]
	rm -f /var/log/xen/console/guest-g.log
	# Debian's kernel keeps the key that crashes it for those who ask.
	guest_config g "extra='console=hvc0 quiet sysrq_always_enabled lab.name=g'" "on_crash='$1'" "${@:2}"
	check "$1: create" serai create -q g.cfg || exit
	check "$1: it runs" guest_says g "guest up: g"
	id=$(serai domid g)
	uuid=$(uuid_of g)
}
uuid_of() { xl list -v "$1" | awk 'NR == 2 { print $7 }'; }
_another() { n=$(serai domid g) && [ "$n" != "$id" ]; }
_crashed() { serai list "$1" 2>/dev/null | grep -q -- '---sc-'; }
_unheld() { ! serai list --json | grep -q '"name": *"g"'; }
again() {
	check "$1: it is started again" until_true 60 _another || cat /var/log/xen/serai-g.log
	check "$1: with the same UUID" test "$(uuid_of g)" = "$uuid"
	check "$1: the old one is gone" test -z "$(xenstore-list "/local/domain/$id" 2>/dev/null)"
}

begin destroy
check "destroy: crash" serai sysrq g c
check "destroy: it goes" until_true 60 guest_gone g
check "destroy: nobody holds its name" until_true 20 _unheld

begin restart
check "restart: crash" serai sysrq g c
again restart
id=$(serai domid g)
check "restart: crash again" serai sysrq g c
again "restart, again"
check "restart: destroy" serai destroy g

begin preserve
check "preserve: crash" serai sysrq g c
check "preserve: it stays, crashed" until_true 60 _crashed g
check_out "preserve: as xl sees it" '^g .*---sc-' xl list g
check_out "preserve: it says why" '"shutdown_reason": *3' serai list --json g
check "preserve: it can be looked into" serai dump-core g /tmp/core
check "preserve: the core is there" test -s /tmp/core
rm -f /tmp/core
refuse "preserve: the name is taken" serai create -q g.cfg
check "preserve: destroy" serai destroy g

begin coredump-destroy
rm -rf /var/lib/xen/dump
check "coredump-destroy: crash" serai sysrq g c
check "coredump-destroy: it goes" until_true 60 guest_gone g
check_out "coredump-destroy: the core is there" 'core$' sh -c 'find /var/lib/xen/dump -size +90000k'
rm -rf /var/lib/xen/dump

begin coredump-restart
check "coredump-restart: crash" serai sysrq g c
again coredump-restart
check_out "coredump-restart: the core is there" 'core$' sh -c 'find /var/lib/xen/dump -size +90000k'
rm -rf /var/lib/xen/dump
check "coredump-restart: destroy" serai destroy g

begin rename-restart
check "rename-restart: crash" serai sysrq g c
check "rename-restart: another has the name" until_true 60 _another || cat /var/log/xen/serai-g.log
check "rename-restart: and the UUID" test "$(uuid_of g)" = "$uuid"
old=$(xl list | awk '$2 == '"$id"' { print $1 }')
check "rename-restart: the crashed one is there under another ($old)" _crashed "$old"
check "rename-restart: with another UUID" test "$(uuid_of "$old")" != "$uuid"
check "rename-restart: it can be destroyed" serai destroy "$old"
check "rename-restart: which the other survives" guest_says g "guest up: g"
check_out "rename-restart: store and all" '^g$' xenstore-read "/vm/$uuid/name"
check "rename-restart: destroy" serai destroy g

begin destroy "on_poweroff='preserve'" "on_reboot='destroy'"
check "on_poweroff: shutdown" serai shutdown g
_shut() { serai list g | grep -q -- '---s--'; }
check "on_poweroff: it stays" until_true 60 _shut
check "on_poweroff: destroy" serai destroy g
begin destroy "on_reboot='destroy'"
check "on_reboot: reboot" serai reboot g
check "on_reboot: it goes" until_true 60 guest_gone g
check "nobody holds its name" until_true 20 _unheld

check "a monitor that is killed" serai create -q g.cfg
pid=$(cut -d' ' -f3 </run/serai/g.lock)
kill -9 "$pid"
check_out "leaves a domain that says so" '"monitored": *false' serai list --json g
check "which can be ended" serai destroy g
_alone() { [ "$(xenstore-list /local/domain)" = 0 ] && [ -z "$(xenstore-list /vm 2>/dev/null | grep -v 00000000)" ]; }
check "no domain leaves a node behind" until_true 20 _alone
freed "$free_before"

# SPDX-License-Identifier: GPL-2.0-or-later
"""The tour that scripts/demo gives: build, boot, a look round, a guest, the end."""
import argparse
import re
import sys
import time

from lab import BUILD, LOGS, LabError, host, qemu
from lab.util import say
import run_tests

TOUR = r"""
. /lab/lib.sh
step() { printf '\n@@ info step=%s\n' "$*"; }
show() { printf '\n@@ info show=$ %s\n' "$*"; "$@" 2>&1 | while IFS= read -r l; do printf '@@ info show=  %s\n' "$l"; done; }
step "Debian's xl talks to the hypervisor"
show xl info
show xl vcpu-list
step "a guest: Debian's kernel again, unprivileged"
guest_config demo "vcpus=2"
check "the guest is created" xl create demo.cfg
check "the guest is up" guest_says demo "guest up"
check "it counts aloud" guest_says demo "^tick 3 "
printf '@@ info show=  %s\n' "$(grep '^tick' /var/log/xen/console/guest-demo.log | tail -n 1)"
show xl list
step "the guest is paused, goes on, and is destroyed"
check "pause" xl pause demo
check "unpause" xl unpause demo
check "destroy" xl destroy demo
step "power off"
"""


def build():
    """build/plain, with its progress in a log."""
    say("building Serai (build/plain; the first time takes a minute or two)")
    log = LOGS / "build-plain.log"
    if not run_tests.configure("plain", log) or not run_tests.logged(
            ["make", f"-j{run_tests.JOBS}"], log, cwd=BUILD / "plain"):
        print("\n".join(run_tests.tail(log)))
        raise LabError(f"the build failed; all of it is in {log}")


def on_mark(kind, rest):
    """Turns the console's marks into something to read."""
    key, _, value = rest.partition("=")
    if kind == "info" and key == "step":
        say(value)
    elif kind == "info" and key == "show":
        print(f"           {value}", flush=True)
    elif kind == "init":
        say(f"dom0's kernel {rest} started its first program")
    elif kind == "daemons":
        say("Debian's xenstored and xenconsoled run")
    elif kind in ("ok", "not ok"):
        say(f"{kind}: {rest}")


def shell(spec):
    """A shell on the host; QEMU takes this process's place."""
    # Under BUILD, not a temporary directory: nothing of ours is left to remove one.
    d = BUILD / "demo"
    d.mkdir(parents=True, exist_ok=True)
    qemu.replace_with(host.command(spec, d, console="mon:stdio"))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--shell", action="store_true")
    p.add_argument("--hypervisor", default="serai", help="xen: the same on Debian's Xen 4.17")
    a = p.parse_args()
    if a.hypervisor == "serai":
        build()
    spec = host.Spec(name="demo", hypervisor=a.hypervisor, boot="bios", script=TOUR, timeout=300,
                     kernel_args="lab.shell" if a.shell else "")
    say("making the boot image (GRUB, hypervisor, Debian's kernel, an initrd with Debian's tools)")
    if a.shell:
        shell(spec)
    say("starting QEMU; GRUB loads the hypervisor, which starts Debian's kernel as dom0")
    started = time.monotonic()
    r = host.run_script(spec, on_mark=on_mark)
    banner = re.search(r"^.*(?:Serai|Xen version).*$", r.log.read_text(errors="replace"), re.M)
    if banner:
        say(f"the hypervisor said: {banner.group(0).strip()}")
    for c in r.complaints:
        say(f"complaint: {c}")
    say(f"{'done' if r.passed else 'FAILED: ' + (r.problem or 'see above')}, "
        f"{time.monotonic() - started:.0f} s; the console's log is {r.log}")
    return 0 if r.passed else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LabError as e:
        print(f"demo: {e}", file=sys.stderr)
        sys.exit(1)

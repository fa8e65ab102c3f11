# SPDX-License-Identifier: GPL-2.0-or-later
"""The tour that scripts/demo gives: build, two hosts, a Debian guest, its move from one to the other.

What happens on the hosts is in demo-tour.sh; this starts them and makes its marks readable.
"""
import argparse
import os
import pathlib
import re
import select
import signal
import sys
import termios
import time
import tty

from lab import BUILD, LOGS, LabError, disk, host, pair, qemu
from lab.util import say
import run_tests

TOUR = pathlib.Path(__file__).with_name("demo-tour.sh")
LEAVE = b"\x1d"         # ^]


def build():
    """build/plain, with its progress in a log."""
    say("building Serai (build/plain; the first time takes a minute or two)")
    log = LOGS / "build-plain.log"
    if not run_tests.configure("plain", log) or not run_tests.logged(
            ["make", f"-j{run_tests.JOBS}"], log, cwd=BUILD / "plain"):
        print("\n".join(run_tests.tail(log)))
        raise LabError(f"the build failed; all of it is in {log}")


def guest_disk():
    """Debian's disk, or None where it cannot be made (it takes root and a mirror, once)."""
    try:
        return str(disk.debian())
    except LabError as e:
        say(f"no Debian disk ({str(e).splitlines()[0]}): the guest will be Debian's kernel with a ramdisk")
        return None


class Screen:
    """Turns the console's marks into something to read."""

    def __init__(self):
        self.bar_open = False
        self.last_bar = ""

    def line(self, text):
        if self.bar_open:
            print(flush=True)
            self.bar_open = False
        say(text)

    def bar(self, value):
        """"WHAT PERCENT", as serai migrate --progress says it."""
        what, _, percent = value.rpartition(" ")
        if not percent.isdigit():
            return
        done = min(int(percent), 100) * 40 // 100
        text = f"           [{'#' * done}{'.' * (40 - done)}] {percent:>3}% {what}"
        if sys.stderr.isatty():
            print(f"\r{text}\x1b[K", end="", file=sys.stderr, flush=True)
            self.bar_open = True
        elif text != self.last_bar and (int(percent) % 20 == 0 or int(percent) > 99):
            print(text, file=sys.stderr, flush=True)
        self.last_bar = text

    def mark(self, kind, rest):
        """One mark of host a's console."""
        key, _, value = rest.partition("=")
        if kind == "info" and key == "bar":
            self.bar(value)
        elif kind == "info" and key == "step":
            self.line(f"== {value}")
        elif kind == "info" and key == "show":
            self.line(f"   {value}")
        elif kind == "info" and key == "aloud":
            self.line(f"   the guest says: {value}")
        elif kind == "init":
            self.line(f"host a: dom0's kernel {rest} started its first program")
        elif kind == "daemons":
            self.line("host a: xenstored and xenconsoled run")
        elif kind in ("ok", "not ok"):
            self.line(f"{kind}: {rest}")


def terminal(machine):
    """This terminal is the machine's console until it ends or ^] is typed."""
    say("^] leaves and ends both hosts; so does exit")
    fd = sys.stdin.fileno()
    old = termios.tcgetattr(fd) if os.isatty(fd) else None
    try:
        if old:
            tty.setraw(fd)
        machine.echo_from_here()
        while machine.proc.poll() is None:
            ready, _, _ = select.select([fd], [], [], 0.5)
            data = os.read(fd, 1024) if ready else None
            if data == b"" or (data and LEAVE in data):
                return
            if data:
                machine.proc.stdin.write(data)
                machine.proc.stdin.flush()
    except BrokenPipeError:
        pass
    finally:
        if old:
            termios.tcsetattr(fd, termios.TCSADRAIN, old)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--shell", action="store_true")
    a = p.parse_args()
    build()
    image = guest_disk()
    env = {"LAB_SLOW": host.SLOW, "DEMO_DISK": "1" if image else "", "DEMO_SHELL": "1" if a.shell else ""}
    spec = host.Spec(
        name="demo", boot="bios", cpus=1, timeout=300,
        script="".join(f"export {k}='{v}'\n" for k, v in env.items()) + TOUR.read_text(encoding="utf-8"),
        files=((BUILD / "plain/toolstack/serai", "/usr/local/bin/serai"),),
        disks=(image,) if image else (),
        kernel_args="lab.bridge2 watchdog_thresh=60")
    say("making the boot image (GRUB, hypervisor, Debian's kernel, an initrd with Debian's tools)")
    screen = Screen()
    started = time.monotonic()
    r = host.Result(log=LOGS / "hosts" / "demo.log")
    end = started + spec.timeout * host.SLOW
    with pair.machines(spec, "serai", r.log) as (ma, mb):
        say("two QEMU machines start; GRUB loads the hypervisor, which starts Debian's kernel as dom0")
        try:
            host.follow(ma, end - time.monotonic(), r, screen.mark, "shell" if a.shell else "exit")
            if a.shell and r.passed:
                terminal(ma)
        except (qemu.Died, qemu.Timeout) as e:
            r.problem = f"{e}; host b: {mb.last_line()}"
        r.complaints = [c.strip() for m in (ma, mb) for c in host.COMPLAINT.findall(m.text)]
        banner = re.search(r"^.*(?:Serai|Xen version).*$", ma.text, re.M)
    if banner:
        screen.line(f"the hypervisor said: {banner.group(0).strip()}")
    for c in r.complaints:
        screen.line(f"complaint: {c}")
    screen.line(f"{'done' if r.passed else 'FAILED: ' + (r.problem or 'see above')}, "
                f"{time.monotonic() - started:.0f} s; the consoles' logs are {r.log} and demo.b.log")
    return 0 if r.passed else 1


if __name__ == "__main__":
    # Ended by a signal, it ends its machines too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(main())
    except LabError as e:
        print(f"demo: {e}", file=sys.stderr)
        sys.exit(1)

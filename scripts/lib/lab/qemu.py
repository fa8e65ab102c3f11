# SPDX-License-Identifier: GPL-2.0-or-later
"""One QEMU machine with its serial console on a pipe.

A reader thread keeps the console's text, so that expect() may look for something that has been
printed already. Every wait has a limit; close() ends the machine whatever state it is in.
"""
import os
import pathlib
import re
import subprocess
import sys
import threading
import time

from .util import say

QEMU = os.environ.get("SERAI_QEMU", "qemu-system-x86_64")

# TCG lacks right SMAP semantics for far transfers at CPL 3, and its EPYC without these runs both
# Xen 4.17 and Serai; see tests/system/README.
DEFAULT_CPU = "EPYC,-smap,-smep,-monitor,-rdtscp"

# What a machine says when there is nothing left to wait for.
DEATH = re.compile(r"Panic on CPU|Kernel panic - not syncing|Manual reset required|"
                   r"\(XEN\) Domain 0 crashed|Hardware Dom0 crashed|Hardware Dom0 shutdown: rebooting|"
                   r"\[FATAL\]|serai: panic", re.I)


class Died(Exception):
    """The machine ended, or said that it is ending, before what was waited for."""


class Timeout(Exception):
    """What was waited for did not come in time."""


class Machine:
    """A running QEMU. Lines of the console go to a log file as they come."""

    def __init__(self, argv, log, name="host", echo=False):
        self.name = name
        self.log = pathlib.Path(log)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._file = open(self.log, "wb")
        self._file.write((" ".join(map(str, argv)) + "\n").encode())
        self._file.flush()
        self._text = ""
        self._pos = 0
        self._dead_pos = None
        self._more = threading.Condition()
        self._echo = echo
        self.started = time.monotonic()
        self.proc = subprocess.Popen([str(a) for a in argv], stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        fd = self.proc.stdout.fileno()
        while True:
            data = os.read(fd, 65536)
            self._file.write(data)
            self._file.flush()
            with self._more:
                if not data:
                    self._text += "\n"
                    self._ended = True
                    self._more.notify_all()
                    return
                text = data.decode(errors="replace").replace("\r", "")
                self._text += text
                self._more.notify_all()
            if self._echo:
                print(text, end="", flush=True)

    _ended = False

    @property
    def text(self):
        return self._text

    def expect(self, pattern, timeout, fatal=DEATH):
        """Waits for pattern after what was matched last; returns the match.

        Raises Died when the console shows fatal first (and the match does not come within a moment:
        a crash prints more than its first line), or when QEMU ends."""
        pattern = re.compile(pattern, re.M) if isinstance(pattern, str) else pattern
        end = time.monotonic() + timeout
        with self._more:
            while True:
                m = pattern.search(self._text, self._pos)
                if m:
                    self._pos = m.end()
                    return m
                if self._ended:
                    raise Died(f"{self.name}: QEMU ended (exit {self.proc.wait()})")
                dead = fatal.search(self._text, self._pos) if fatal else None
                if dead and end > time.monotonic() + 3:
                    end = time.monotonic() + 3
                left = end - time.monotonic()
                if left <= 0:
                    if dead:
                        line = self._text[self._text.rfind("\n", 0, dead.start()) + 1:]
                        raise Died(f"{self.name}: {line.splitlines()[0].strip()}")
                    raise Timeout(f"{self.name}: no /{pattern.pattern}/ in {timeout:.0f} s; "
                                  f"last: {self.last_line()}")
                self._more.wait(min(left, 5))

    def last_line(self):
        lines = [ln for ln in self._text.splitlines() if ln.strip()]
        return lines[-1].strip()[:200] if lines else "(nothing on the console)"

    def echo_from_here(self):
        """Shows what the console printed since the last match, and all that comes, as it comes."""
        with self._more:
            print(self._text[self._pos:].replace("\n", "\r\n"), end="", flush=True)
            self._echo = True

    def send(self, text):
        self.proc.stdin.write(text.encode())
        self.proc.stdin.flush()

    def state(self, keys="tqr0d"):
        """What the hypervisor, Xen or Serai, says when its debug keys are typed: clocks, domains, run queues, the
        registers of dom0's vCPUs and of the processors (last, because it asks the others for it)."""
        start = len(self._text)
        try:
            self.send("\x01" * 3)     # the serial line's input goes to the hypervisor
            for key in keys:
                self.send(key)
                end = time.monotonic() + 5
                with self._more:
                    # Until nothing has come for a second.
                    while not self._ended and self._more.wait(1) and time.monotonic() < end:
                        pass
        except OSError:
            pass                      # the machine is gone
        return self._text[start:]

    def wait(self, timeout):
        """Exit status of QEMU, or None when it is still running."""
        try:
            return self.proc.wait(timeout)
        except subprocess.TimeoutExpired:
            return None

    def close(self):
        if self.proc.poll() is None:
            self.proc.kill()
            self.proc.wait()
        self._thread.join(10)
        self._file.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


def replace_with(argv):
    """Becomes QEMU, its console on this terminal (^A x leaves it)."""
    say("console on this terminal; ^A x ends the machine")
    os.execvp(str(argv[0]), [str(a) for a in argv])

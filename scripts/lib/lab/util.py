# SPDX-License-Identifier: GPL-2.0-or-later
"""Small helpers: running commands, progress lines, and making a thing once under its final name."""
import contextlib
import fcntl
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

from . import CACHE, LabError

_start = time.monotonic()

# How many of a kind the cache keeps: several worktrees at different commits may share it.
KEEP = 6


def say(text):
    """One progress line, with the seconds since the start."""
    print(f"[{time.monotonic() - _start:6.1f}] {text}", file=sys.stderr, flush=True)


def run(argv, **kw):
    """Runs a command, quietly; its output is in the error when it fails."""
    argv = [str(a) for a in argv]
    kw.setdefault("stdin", subprocess.DEVNULL)
    p = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                       errors="replace", check=False, **kw)
    if p.returncode:
        raise LabError(f"{' '.join(argv[:6])}: exit {p.returncode}\n{p.stdout[-4000:]}")
    return p.stdout


def digest(*parts):
    """Short name for a set of inputs: strings, bytes, or files (by content)."""
    h = hashlib.sha256()
    for p in parts:
        data = p.read_bytes() if isinstance(p, pathlib.Path) else str(p).encode()
        h.update(len(data).to_bytes(8, "little"))
        h.update(data)
    return h.hexdigest()[:12]


@contextlib.contextmanager
def locked(name):
    """Holds build/cache/NAME.lock: two runs at once make a thing once."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f"{name}.lock", "w", encoding="ascii") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        yield


def once(path, make, what):
    """Returns path, calling make(temporary path) first when it is not there.

    The rename at the end is what makes a half-made thing invisible to later runs."""
    path = pathlib.Path(path)
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path.name):
        if path.exists():
            return path
        say(what)
        tmp = path.with_name(path.name + ".tmp")
        if tmp.is_dir():
            shutil.rmtree(tmp)
        elif tmp.exists():
            tmp.unlink()
        make(tmp)
        os.rename(tmp, path)
        _prune(path)
    return path


def _prune(path):
    """Removes things of the same kind made from inputs that were current before the last few."""
    kind = re.sub(r"-[0-9a-f]{12}", "-????????????", path.name)
    for old in sorted(path.parent.glob(kind), key=lambda p: p.stat().st_mtime)[:-KEEP]:
        if old.is_dir():
            shutil.rmtree(old)
        else:
            old.unlink()

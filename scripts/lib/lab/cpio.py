# SPDX-License-Identifier: GPL-2.0-or-later
"""A file tree in the making, written as a cpio archive ("newc", as Linux unpacks an initrd).

Programs come with the shared libraries they need. Paths are those of a merged-/usr system, so
/bin/x and /usr/bin/x are the same file whatever the package says. Archives may be concatenated:
the kernel unpacks one after the other, so a run's script is appended to a cached base image.
"""
import json
import os
import pathlib
import re
import stat
import subprocess

from . import LabError

_LIBDIRS = ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu", "usr/lib", "lib",
            "usr/lib/x86_64-linux-gnu/systemd", "usr/local/lib", "lib64")


def merged(path):
    """Path inside the image, without the leading slash, with /usr merged."""
    path = str(path).lstrip("/")
    return re.sub(r"^(bin|sbin|lib|lib64)(/|$)", r"usr/\1\2", path)


def late(data):
    """Names of the libraries that a program opens when it wants them, by its notes (.note.dlopen)."""
    notes = re.findall(rb"\x0a\x0c\x7c\x40FDO\0(\[[^\0]*\])\0", data)
    return [name for n in notes for entry in json.loads(n) for name in entry["soname"]]


def needed(path):
    """Names of the libraries an ELF file wants, and its interpreter; empty for anything else."""
    data = pathlib.Path(path).read_bytes()
    if not data.startswith(b"\x7fELF"):
        return []
    text = subprocess.run(["readelf", "-dl", path], capture_output=True, text=True,
                          check=False).stdout
    libs = re.findall(r"\(NEEDED\).*\[(.*)\]", text)
    interp = re.search(r"interpreter: (.*)\]", text)
    return libs + late(data) + ([interp.group(1)] if interp else [])


class Tree:
    """Entries by their path. Sources are searched for in the roots, first one first."""

    def __init__(self, *roots):
        self.roots = [pathlib.Path(r) for r in roots]
        self.entries = {}
        for d in ("bin", "sbin", "lib", "lib64"):
            self.entries[d] = (stat.S_IFLNK | 0o777, f"usr/{d}".encode(), 0)
            self.directory(f"/usr/{d}")

    def directory(self, path, mode=0o755):
        self._put(path, stat.S_IFDIR | mode, b"")

    def text(self, path, text, mode=0o644):
        self._put(path, stat.S_IFREG | mode, text.encode())

    def binary(self, path, data, mode=0o644):
        self._put(path, stat.S_IFREG | mode, data)

    def link(self, path, target):
        self._put(path, stat.S_IFLNK | 0o777, target.encode())

    def device(self, path, kind, major, minor, mode=0o600):
        self._put(path, {"c": stat.S_IFCHR, "b": stat.S_IFBLK}[kind] | mode, b"",
                  os.makedev(major, minor))

    def _put(self, path, mode, data, rdev=0):
        path = merged(path)
        parent = os.path.dirname(path)
        if parent and parent not in self.entries:
            self.directory(parent)
        self.entries[path] = (mode, data, rdev)

    def find(self, path):
        """The source of an absolute path: in a root as it stands, or moved by the /usr merge."""
        path = str(path).lstrip("/")
        names = [path, merged(path), path.removeprefix("usr/")]
        for root in self.roots:
            for name in names:
                if (root / name).exists() or (root / name).is_symlink():
                    return root / name
        raise LabError(f"{path} is in none of {', '.join(map(str, self.roots))}")

    def add(self, path, source=None):
        """One file with the libraries it needs; a directory with all below it."""
        source = pathlib.Path(source) if source else self.find(path)
        if source.is_symlink():
            target = os.readlink(source)
            self.link(path, target)
            full = os.path.normpath(os.path.join("/", os.path.dirname(str(path)), target))
            if merged(full) not in self.entries:
                self.add(full)
        elif source.is_dir():
            self.directory(path)
            for child in sorted(source.iterdir()):
                self.add(f"{path}/{child.name}", child)
        else:
            self._put(path, stat.S_IFREG | stat.S_IMODE(source.stat().st_mode), source)
            for name in needed(source):
                self._library(name, path)

    def _library(self, name, user):
        if name.startswith("/"):
            if merged(name) not in self.entries:
                self.add(name)
            return
        for d in _LIBDIRS:
            if merged(f"{d}/{name}") in self.entries:
                return
        for d in _LIBDIRS:
            for root in self.roots:
                if (root / d / name).exists():
                    # Under its own name and resolved: images need no chain of versioned links.
                    self.add(f"/{d}/{name}", (root / d / name).resolve())
                    return
        raise LabError(f"{user} needs {name}, which is in none of the packages")

    def write(self, path):
        """Writes the archive; parents come before what is in them."""
        with open(path, "wb") as out:
            for ino, name in enumerate(sorted(self.entries), 1):
                mode, data, rdev = self.entries[name]
                if isinstance(data, pathlib.Path):
                    data = data.read_bytes()
                _record(out, ino, name, mode, data, rdev)
            _record(out, 0, "TRAILER!!!", 0, b"", 0)


def _record(out, ino, name, mode, data, rdev):
    raw = name.encode() + b"\0"
    nlink = 2 if stat.S_ISDIR(mode) else 1
    fields = (ino, mode, 0, 0, nlink, 0, len(data), 0, 0, os.major(rdev), os.minor(rdev), len(raw), 0)
    head = b"070701" + b"".join(b"%08X" % f for f in fields) + raw
    out.write(head + bytes(-len(head) % 4))
    out.write(data + bytes(-len(data) % 4))

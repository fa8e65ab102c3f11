# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian packages, downloaded with their dependencies and unpacked, never installed.

apt resolves the dependencies as if for an empty machine, so the result does not depend on what the
build host has installed. The unpacked tree is named after the packages' versions.
"""
import pathlib
import re
import shutil
import subprocess

from . import CACHE, LabError
from .util import digest, once, run, say

# What hosts in tests are made of. The Xen hypervisor is the reference Serai is compared with.
LAB_PACKAGES = (
    "linux-image-amd64", "xen-hypervisor-4.17-amd64", "xen-utils-4.17", "xenstore-utils",
    "grub-xen-host", "busybox-static", "kmod", "iproute2", "bash", "coreutils", "util-linux", "mount", "strace",
    "socat", "stress-ng", "e2fsprogs", "qemu-utils", "nbd-client", "curl", "openssh-client",
    "openssh-server",
    "procps", "libcurl4", "libxml2", "libjansson4", "libmicrohttpd12", "libjson-c5", "libnbd0", "dmsetup",
)


def _apt(*args):
    archives = CACHE / "apt"
    (archives / "partial").mkdir(parents=True, exist_ok=True)
    return ["apt-get", "-qq", "-y", "-o", "Dir::State::status=/dev/null",
            "-o", f"Dir::Cache::archives={archives}", "-o", "Debug::NoLocking=1",
            "-o", "APT::Install-Recommends=0", "-o", "APT::Sandbox::User=root", *args]


def _resolve(packages):
    """[(name, version)] of the packages and all they depend on, in apt's order of installation."""
    cmd = _apt("--simulate", "install", *packages)
    p = subprocess.run(cmd, capture_output=True, text=True, check=False)
    if p.returncode:
        say("refreshing the package lists")
        run(["apt-get", "-qq", "update"])
        p = subprocess.run(cmd, capture_output=True, text=True, check=False)
    found = re.findall(r"^Inst (\S+) \((\S+) ", p.stdout, re.M)
    if p.returncode or not found:
        raise LabError(f"apt cannot resolve {' '.join(packages)}:\n{p.stderr[-2000:]}")
    return found


def _unpack(packages, versions, tmp):
    try:
        run(_apt("--download-only", "install", *packages))
    except LabError:
        # A mirror drops the old version as soon as there is a new one.
        run(["apt-get", "-qq", "update"])
        run(_apt("--download-only", "install", *packages))
    tmp.mkdir()
    for name, version in versions:
        name = name.split(":")[0]
        debs = list((CACHE / "apt").glob(f"{name}_{version.replace(':', '%3a')}_*.deb"))
        if not debs:
            raise LabError(f"package {name} {version} was not downloaded")
        run(["dpkg-deb", "-x", debs[0], tmp])
        (tmp / ".versions").open("a", encoding="ascii").write(f"{name} {version}\n")


def tree(packages=LAB_PACKAGES):
    """Path of a directory with the packages unpacked over each other.

    The answer is kept until the cache is removed: asking apt takes seconds, and tests ask often."""
    stamp = CACHE / f"tree-{digest(*packages)}"
    if stamp.exists() and pathlib.Path(stamp.read_text(encoding="ascii")).exists():
        return pathlib.Path(stamp.read_text(encoding="ascii"))
    if not shutil.which("apt-get"):
        raise LabError("the laboratory is made of Debian packages and needs apt-get")
    CACHE.mkdir(parents=True, exist_ok=True)
    versions = _resolve(packages)
    path = CACHE / f"debs-{digest(*(f'{n}={v}' for n, v in versions))}"
    once(path, lambda tmp: _unpack(packages, versions, tmp),
         f"downloading and unpacking {len(versions)} Debian packages")
    stamp.write_text(str(path), encoding="ascii")
    return path


def kernel(root):
    """(vmlinuz, release) of the Debian kernel in an unpacked tree."""
    found = sorted((root / "boot").glob("vmlinuz-*"))
    if not found:
        raise LabError(f"no kernel in {root}")
    return found[-1], found[-1].name.removeprefix("vmlinuz-")


def xen_image(root):
    """Debian's Xen, uncompressed, as QEMU's -kernel takes it."""
    packed = sorted((root / "boot").glob("xen-4.*-amd64.gz"))[-1]
    out = CACHE / f"{packed.stem}-{digest(packed)}"

    def make(tmp):
        with open(tmp, "wb") as f:
            subprocess.run(["gzip", "-dc", packed], stdout=f, check=True)
    return once(out, make, "unpacking Debian's Xen")

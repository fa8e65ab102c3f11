# SPDX-License-Identifier: GPL-2.0-or-later
"""A Debian 12 system on a disk: debootstrap into a directory, ext4 made from the directory.

The same image is dom0's root (virtio-blk, AHCI) and a guest's (xvda). Nothing is mounted; every
user of the image writes to a scratch overlay of its own.
"""
import os
import pathlib
import shutil

from . import CACHE, LabError, debs, initrd
from .cpio import Tree
from .initrd import DOM0_MODULES, modules
from .util import digest, once, run

MIRROR = os.environ.get("SERAI_MIRROR", "http://deb.debian.org/debian")
PACKAGES = ("systemd", "systemd-sysv", "udev", "dbus", "iproute2", "curl", "kmod", "procps",
            "openssh-server", "openssh-client", "util-linux", "e2fsprogs", "socat", "stress-ng",
            "netcat-openbsd", "iputils-ping", "libgcc-s1")
SIZE = "1536M"

# What a test system does not need at every boot; each would cost emulated seconds.
MASKED = ("apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer",
          "e2scrub_all.timer", "fstrim.timer", "e2scrub_reap.service", "systemd-timesyncd.service")

FILES = {
    "etc/hostname": "debian\n",
    "etc/hosts": "127.0.0.1 localhost debian\n",
    "etc/fstab": "",
    # After what systemd makes of ip= on the kernel command line (70-*).
    "etc/systemd/network/90-lab.network":
        "[Match]\nName=e* !eth1\n\n[Network]\nDHCP=ipv4\n",
    "etc/systemd/network/00-lab.link":
        "[Match]\nOriginalName=*\n\n[Link]\nNamePolicy=kernel\n",
    # A shell for the host this system is a guest of. Test systems only, and never reachable from
    # outside the build host's emulated network.
    "etc/systemd/system/lab-agent.service":
        "[Unit]\nDescription=Shell on a port for tests\nAfter=network.target\n\n"
        "[Service]\nExecStart=/usr/bin/socat -t 900 TCP-LISTEN:9000,reuseaddr,fork EXEC:/bin/bash\n\n"
        "[Install]\nWantedBy=multi-user.target\n",
    "boot/grub/grub.cfg":
        "set timeout=0\nmenuentry Debian {\n"
        "  linux /boot/vmlinuz console=hvc0 lab.root=/dev/xvda\n  initrd /boot/initrd\n}\n",
    "etc/ssh/sshd_config.d/lab.conf": "PermitRootLogin yes\nPermitEmptyPasswords yes\nUseDNS no\n",
    # The console shows the system coming up, and a login that asks for no password.
    "etc/issue": "Debian GNU/Linux 12 \\n \\l\n",
}


def _configure(root):
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii")
    run(["chroot", root, "passwd", "-d", "root"])
    run(["chroot", root, "systemctl", "enable", "systemd-networkd", "lab-agent"])
    run(["chroot", root, "systemctl", "mask", *MASKED])
    # A host key made here, once: emulated machines take long to gather the randomness.
    run(["chroot", root, "ssh-keygen", "-A"])
    (root / "etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n", encoding="ascii")


def _modules(root):
    """The modules hosts and guests need, as in dom0's initrd."""
    tree = Tree(debs.tree())
    modules(tree, debs.tree(), DOM0_MODULES)
    for name, (mode, data, _) in tree.entries.items():
        if name.startswith("usr/lib/modules/") and mode & 0o170000 == 0o100000:
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data.read_bytes() if isinstance(data, pathlib.Path) else data)


def debian():
    """Path of the raw image."""
    out = CACHE / f"debian-{digest(debs.tree().name, initrd.guest().name, *PACKAGES, *DOM0_MODULES, pathlib.Path(__file__))}.img"

    def make(tmp):
        if os.geteuid():
            raise LabError("making Debian's disk needs root (debootstrap, chroot)")
        root = tmp.with_suffix(".root")
        if root.exists():
            shutil.rmtree(root)
        archives = CACHE / "debootstrap"
        archives.mkdir(exist_ok=True)
        run(["debootstrap", "--variant=minbase", f"--cache-dir={archives.resolve()}",
             f"--include={','.join(PACKAGES)}", "bookworm", root, MIRROR])
        _configure(root)
        _modules(root)
        shutil.copy(debs.kernel(debs.tree())[0], root / "boot/vmlinuz")
        shutil.copy(initrd.guest(), root / "boot/initrd")
        shutil.rmtree(root / "var/cache/apt", ignore_errors=True)
        shutil.rmtree(root / "var/lib/apt/lists", ignore_errors=True)
        run(["truncate", "-s", SIZE, tmp])
        run(["mkfs.ext4", "-q", "-F", "-L", "debian", "-O", "^has_journal", "-d", root, tmp])
        shutil.rmtree(root)
    return once(out, make, "making Debian's disk (debootstrap; a minute or so)")

# SPDX-License-Identifier: GPL-2.0-or-later
"""The small images: dom0's initrd with Debian's Xen tools, and the little guest's.

dom0's is a base archive made once, followed by a run's own: its script and whatever files the run
brings along. What runs inside is in scripts/lib/dom0 and scripts/lib/guest.
"""
import pathlib
import shutil
import subprocess
import tempfile

from . import BUILD, CACHE, debs
from .cpio import Tree
from .util import digest, once, run

DEPMOD = shutil.which("depmod") or "/sbin/depmod"
LIB = pathlib.Path(__file__).resolve().parents[1]

# Modules by name; what they depend on comes along.
DOM0_MODULES = (
    "xen-evtchn xen-gntdev xen-gntalloc xen-privcmd xenfs xen-blkback xen-netback xen-blkfront "
    "xen-netfront loop dm-mod bridge stp tun veth virtio_pci virtio_blk virtio_net virtio_rng virtio_scsi "
    "virtio_console ahci sd_mod sr_mod ata_piix e1000e e1000 ext4 nbd dummy isofs ip_tables "
    "iptable_filter crc32c_generic crc32c_intel"
).split()
GUEST_MODULES = "xen-blkfront xen-netfront ext4 crc32c_generic".split()

PROGRAMS = (
    "/bin/bash /sbin/ip /sbin/bridge /bin/busybox /sbin/losetup /usr/bin/strace "
    "/usr/bin/socat /sbin/mkfs.ext4 /sbin/e2fsck /bin/kmod /sbin/nbd-client "
    "/usr/bin/timeout /usr/bin/stat /usr/bin/flock /bin/lsblk /bin/ps "
    "/usr/bin/xenstore "
    "/usr/bin/xenstore-ls /usr/bin/xenstore-read /usr/bin/xenstore-write /usr/bin/xenstore-rm "
    "/usr/bin/xenstore-list /usr/bin/xenstore-exists /usr/bin/xenstore-watch "
    "/usr/bin/xenstore-chmod"
).split()


def modules(tree, root, names):
    """Adds kernel modules and the index modprobe wants."""
    _, release = debs.kernel(root)
    base = f"lib/modules/{release}"
    if not (root / base / "modules.dep").exists():
        run([DEPMOD, "-b", root, release])
    deps = {}
    for line in (root / base / "modules.dep").read_text(encoding="ascii").splitlines():
        mod, _, rest = line.partition(":")
        deps[mod] = rest.split()
    by_name = {pathlib.Path(m).stem.replace("-", "_"): m for m in deps}
    want = set()
    for name in names:
        mod = by_name.get(name.replace("-", "_"))
        if mod:     # else it is built in
            want |= {mod, *deps[mod]}
    with tempfile.TemporaryDirectory(dir=CACHE) as d:
        here = pathlib.Path(d) / base
        for mod in want:
            (here / mod).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / base / mod, here / mod)
            tree.add(f"/{base}/{mod}", root / base / mod)
        for f in ("modules.builtin", "modules.builtin.modinfo", "modules.order"):
            shutil.copy(root / base / f, here / f)
        run([DEPMOD, "-b", d, release])
        for f in here.glob("modules.*"):
            tree.binary(f"/{base}/{f.name}", f.read_bytes())


def skeleton(tree):
    """Directories, devices and the few files of /etc that programs look for."""
    for d in ("proc", "sys", "dev", "run", "tmp", "root", "mnt", "var/log/xen", "var/lib/xen",
              "var/lib/xenstored", "run/xen", "run/lock", "etc"):
        tree.directory(f"/{d}")
    tree.device("/dev/console", "c", 5, 1)
    tree.device("/dev/null", "c", 1, 3, 0o666)
    tree.text("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\n"
              "sshd:x:100:65534:sshd:/run/sshd:/usr/sbin/nologin\n")
    tree.text("/etc/group", "root:x:0:\n")
    tree.link("/var/run", "/run")
    tree.link("/var/lock", "/run/lock")
    tree.link("/etc/mtab", "/proc/mounts")


def kmod_links(tree):
    """The programs that kmod is."""
    for name in ("insmod", "modprobe", "rmmod", "lsmod", "depmod"):
        tree.link(f"/usr/sbin/{name}", "/bin/kmod")


def busybox(tree, box):
    """Links for every applet that is no program of its own in the image."""
    tree.add("/bin/busybox", box)
    have = {pathlib.PurePath(p).name for p in tree.entries}
    for applet in subprocess.run([box, "--list"], capture_output=True, text=True,
                                 check=True).stdout.split():
        if applet not in have:
            tree.link(f"/usr/bin/{applet}", "/bin/busybox")


def guest():
    """The little guest's initrd: busybox, two front-ends and scripts/lib/guest/init."""
    root = debs.tree()
    init = LIB / "guest" / "init"
    out = CACHE / f"guest-{digest(root.name, init, *GUEST_MODULES, pathlib.Path(__file__))}.cpio"

    def make(tmp):
        tree = Tree(root)
        skeleton(tree)
        modules(tree, root, GUEST_MODULES)
        busybox(tree, root / "bin/busybox")
        tree.add("/init", init)
        # Where the kernel looks when it wants a module itself.
        tree.link("/usr/sbin/modprobe", "/bin/busybox")
        for name in ("poweroff", "reboot", "halt"):
            tree.text(f"/usr/sbin/{name}", f"#!/bin/sh\nexec busybox {name} -f\n", 0o755)
        tree.write(tmp)
    return once(out, make, "making the little guest's initrd")


def dom0():
    """The base of dom0's initrd: Debian's Xen tools, the modules, a guest to start."""
    root = debs.tree()
    parts = sorted((LIB / "dom0").iterdir())
    small = guest()
    out = CACHE / ("dom0-" + digest(root.name, small.name, *parts, *DOM0_MODULES, *PROGRAMS,
                                    pathlib.Path(__file__)) + ".cpio")

    def make(tmp):
        tree = Tree(root)
        skeleton(tree)
        modules(tree, root, DOM0_MODULES)
        for p in PROGRAMS:
            tree.add(p)
        bindir = "usr/lib/xen-4.17/bin"
        for p in sorted((root / bindir).iterdir()):
            if p.name != "oxenstored":
                tree.add(f"/{bindir}/{p.name}")
        # libpthread opens it by name when a thread is cancelled: xl's background half needs it.
        tree.add("/usr/lib/x86_64-linux-gnu/libgcc_s.so.1")
        tree.add("/etc/xen")
        tree.add("/usr/lib/xen-common")
        kmod_links(tree)
        busybox(tree, root / "bin/busybox")
        for p in parts:
            tree.add("/init" if p.name == "init" else f"/lab/{p.name}", p)
        vmlinuz, _ = debs.kernel(root)
        tree.add("/guests/vmlinuz", vmlinuz)
        tree.add("/guests/initrd", small)
        tree.add("/guests/grub-xen", root / "usr/lib/grub-xen/grub-x86_64-xen.bin")
        tree.write(tmp)
    return once(out, make, "making dom0's initrd")


def with_run(base, out, script=None, files=(), packages=()):
    """base followed by a run's script and files [(source, path)], written to out. A directory stands for its files;
    without a source, a file is one of the packages'."""
    tree = Tree(BUILD / "plain", debs.tree(), *((debs.tree(packages),) if packages else ()), "/")
    if script is not None:
        tree.text("/lab/script", script, 0o755)
    for source, path in files:
        if source and pathlib.Path(source).is_dir():
            for f in sorted(pathlib.Path(source).iterdir()):
                tree.add(f"{path}/{f.name}", f)
        else:
            tree.add(path, source or None)
    tree.write(out)
    extra = pathlib.Path(out).read_bytes()
    with open(out, "wb") as f:
        f.write(pathlib.Path(base).read_bytes())
        f.write(extra)
    return out



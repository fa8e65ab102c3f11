# SPDX-License-Identifier: GPL-2.0-or-later
"""A whole host in Bochs, the emulator that keeps x87 selectors: one processor, GRUB, and a dom0 small
enough for some fifty million instructions a second.

dom0 runs Debian's kernel, Debian's xenstored, xenconsoled and xl, and a script, as in host.py.
"""
import dataclasses
import pathlib
import shutil
import time

from . import CACHE, LOGS, LabError, debs, host, initrd, iso, qemu
from .cpio import Tree
from .util import digest, once

BOCHS = "bochs-bin"

# Without the drivers of a machine: dom0 has a console and memory, and that is all it needs.
MODULES = "xen-evtchn xen-gntdev xen-gntalloc xen-privcmd xenfs xen-blkback xen-netback".split()
PROGRAMS = (
    "/bin/bash /bin/busybox /bin/kmod /sbin/ip /usr/bin/timeout /usr/bin/xenstore-read "
    "/usr/bin/xenstore-write /usr/bin/xenstore"
).split()
TOOLS = "xl libxl-save-helper xenstored xenconsoled xen-init-dom0 init-dom0".split()

RC = """display_library: rfb, options="timeout=0"
romimage: file=/usr/share/seabios/bios.bin
vgaromimage: file=/usr/share/seabios/vgabios-stdvga.bin
megs: {memory}
cpu: model={model}, count=1, ips=50000000, reset_on_triple_fault=0, ignore_bad_msrs=1
ata0-master: type=cdrom, path={iso}, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=/dev/stdout
log: {log}
panic: action=fatal
error: action=report
info: action=ignore
debug: action=ignore
clock: sync=none
speaker: enabled=0
sound: driver=dummy
"""


@dataclasses.dataclass
class Spec:
    """What a host in Bochs is made of."""
    name: str
    hypervisor: str = "serai"           # serai | xen | path of an image
    model: str = "ryzen"
    memory: int = 1024                  # MiB
    dom0_mem: str = "384M,max:384M"
    hv_args: str = ""
    kernel_args: str = ""
    script: str = ""
    files: tuple = ()                   # (source, path in dom0)
    timeout: int = 900


def dom0():
    """The base of dom0's initrd."""
    root = debs.tree()
    parts = sorted((initrd.LIB / "dom0").iterdir())
    out = CACHE / ("bochs-" + digest(root.name, *parts, *MODULES, *PROGRAMS, *TOOLS,
                                     pathlib.Path(__file__), pathlib.Path(initrd.__file__)) + ".cpio")

    def make(tmp):
        tree = Tree(root)
        initrd.skeleton(tree)
        initrd.modules(tree, root, MODULES)
        for p in PROGRAMS:
            tree.add(p)
        for name in TOOLS:
            path = f"/usr/lib/xen-4.17/bin/{name}"
            if (root / path.lstrip("/")).exists():
                tree.add(path)
        tree.add("/usr/lib/x86_64-linux-gnu/libgcc_s.so.1")
        tree.add("/etc/xen")
        initrd.kmod_links(tree)
        initrd.busybox(tree, root / "bin/busybox")
        for p in parts:
            tree.add("/init" if p.name == "init" else f"/lab/{p.name}", p)
        tree.write(tmp)
    return once(out, make, "making dom0's initrd for Bochs")


def command(spec, workdir):
    """Bochs's command line for a spec; makes the images it names."""
    workdir = pathlib.Path(workdir)
    if not shutil.which(BOCHS):
        raise LabError("no bochs-bin: run scripts/setup")
    kernel, _ = debs.kernel(debs.tree())
    rd = initrd.with_run(dom0(), workdir / "initrd", spec.script or None, spec.files)
    base = host.Spec(hypervisor=spec.hypervisor, dom0_mem=spec.dom0_mem, dom0_vcpus=1,
                     hv_args=spec.hv_args)
    cd = iso.make(workdir / "boot.iso", host.hypervisor_image(base), host.hypervisor_args(base),
                  kernel, f"console=hvc0 earlyprintk=xen panic=5 {spec.kernel_args}".strip(), rd)
    rc, go = workdir / "bochsrc", workdir / "go"
    rc.write_text(RC.format(memory=spec.memory, model=spec.model, iso=cd, log=workdir / "log"),
                  encoding="ascii")
    # Debian's Bochs has its debugger built in, which waits to be told to go on.
    go.write_text("c\n", encoding="ascii")
    return [BOCHS, "-q", "-f", rc, "-rc", go]


def run_script(spec, log=None, on_mark=None):
    """Boots the host and runs its script to the end, as host.run_script() does in QEMU."""
    result = host.Result(log=pathlib.Path(log or LOGS / "hosts" / f"{spec.name}.log"))
    with host.scratch() as d:
        argv = command(spec, d)
        with qemu.Machine(argv, result.log, spec.name) as m:
            try:
                host.follow(m, spec.timeout * host.SLOW, result, on_mark)
            except (qemu.Died, qemu.Timeout) as e:
                result.problem = str(e)
            result.seconds = time.monotonic() - m.started
            result.complaints = [c.strip() for c in host.COMPLAINT.findall(m.text)]
            result.text = m.text
    return result

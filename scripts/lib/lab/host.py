# SPDX-License-Identifier: GPL-2.0-or-later
"""A whole host: a hypervisor, Debian's kernel as dom0, and a script that runs there.

The script's results come back over the console as lines with "@@" (scripts/lib/dom0/lib.sh).
"""
import dataclasses
import http.server
import os
import pathlib
import re
import tempfile
import threading
import time

from . import BUILD, CACHE, LOGS, LabError, debs, initrd, iso, qemu
from .util import say

SERAI = pathlib.Path(os.environ.get("SERAI_IMAGE", BUILD / "plain" / "hypervisor" / "serai.elf"))

# Emulation on a busy machine: every limit is multiplied by this. Nothing waits longer than it has to.
SLOW = int(os.environ.get("SERAI_SLOW", "2"))

MARK = re.compile(r"@@ (init|daemons|shell|ok|not ok|info|exit)\b ?(.*)\n")

# Kernel and hypervisor complaints that fail a run even when the script was content.
COMPLAINT = re.compile(
    r"^.*(?:WARNING: CPU|BUG: |kernel BUG at|Oops|rcu: INFO|detected stall|soft lockup|"
    r"general protection fault|Call Trace:|blocked for more than|\(XEN\).*(?:Assert|BUG at|WARN)).*$",
    re.M)


@dataclasses.dataclass
class Spec:
    """What a host is made of. Everything has a default that boots."""
    name: str = "host"
    hypervisor: str = "serai"           # serai | xen | none | path of an image
    cpus: int = 2
    memory: int = 2048                  # MiB
    machine: str = "pc"
    cpu: str = qemu.DEFAULT_CPU
    boot: str = "kernel"                # kernel | bios | uefi
    dom0_mem: str = "1024M,max:1024M"
    dom0_vcpus: int = 0                 # 0: as many as CPUs
    hv_args: str = ""
    kernel_args: str = ""               # for dom0
    kernel: str = ""                    # instead of Debian's; none: no modules at all
    initrd: str = ""                    # instead of the laboratory's
    script: str = ""
    files: tuple = ()                   # (source, path in dom0)
    packages: tuple = ()                # Debian's, beside the laboratory's own, that files may come from
    disk: str = "virtio"                # what carries `disks`: virtio | ahci
    disks: tuple = ()                   # image files, qcow2 or raw, written to a scratch overlay
    nic: str = "virtio"                 # virtio | e1000e | none
    # Time counts instructions, 2 ** icount ns each, and all CPUs share a thread: for what is
    # measured in time, which then does not depend on what else the build host does. -1: real time.
    icount: int = -1
    # "single": the CPUs take turns. For hosts whose kernel patches its code while it runs (tests/system/README.md).
    threads: str = "multi"
    qemu: tuple = ()
    timeout: int = 240


def hypervisor_image(spec):
    if spec.hypervisor == "xen":
        return debs.xen_image(debs.tree())
    image = SERAI if spec.hypervisor == "serai" else pathlib.Path(spec.hypervisor)
    if not image.exists():
        raise LabError(f"{image} is not there: build it (make), or name another with SERAI_IMAGE")
    return image


def hypervisor_args(spec):
    args = ["com1=115200,8n1", "console=com1", "loglvl=info", "guest_loglvl=info", "noreboot",
            # TCG's XSAVE ignores CR0.TS, so Xen's lazy FPU switching would mix up domains.
            "spec-ctrl=eager-fpu"]
    if spec.dom0_mem:
        args.append(f"dom0_mem={spec.dom0_mem}")
    if spec.dom0_vcpus:
        args.append(f"dom0_max_vcpus={spec.dom0_vcpus}")
    return " ".join(args + ([spec.hv_args] if spec.hv_args else []))


def _drives(spec):
    args = []
    if spec.disk == "ahci" and spec.disks and spec.machine == "pc":
        args += ["-device", "ahci,id=ahci"]
    for n, path in enumerate(spec.disks):
        kind = "qcow2" if str(path).endswith(".qcow2") else "raw"
        if str(path).startswith("nbd"):
            args += ["-drive", f"file={path},format=raw,if=none,id=d{n},cache=none"]
        else:
            args += ["-drive", f"file={path},format={kind},if=none,id=d{n},snapshot=on,cache=unsafe"]
        if spec.disk == "ahci":
            bus = "ahci" if spec.machine == "pc" else "ide"
            args += ["-device", f"ide-hd,drive=d{n},bus={bus}.{n}"]
        else:
            args += ["-device", f"virtio-blk-pci,drive=d{n},bootindex={10 + n}"]
    return args


def command(spec, workdir, console="stdio"):
    """QEMU's command line for a spec; makes the images it names."""
    workdir = pathlib.Path(workdir)
    argv = [qemu.QEMU, "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
            "-vga", "std", "-machine", spec.machine,
            "-cpu", spec.cpu, "-smp", spec.cpus, "-m", spec.memory, "-serial", console,
            "-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
    argv += ["-accel", f"tcg,thread={spec.threads}"] if spec.icount < 0 else ["-icount", f"shift={spec.icount}"]
    argv += _drives(spec)
    if spec.nic != "none":
        model = {"virtio": "virtio-net-pci"}.get(spec.nic, spec.nic)
        argv += ["-netdev", "user,id=n0", "-device", f"{model},netdev=n0"]

    kernel = pathlib.Path(spec.kernel) if spec.kernel not in ("", "none") else debs.kernel(debs.tree())[0]
    rd = pathlib.Path(spec.initrd) if spec.initrd else initrd.with_run(
        initrd.dom0(), workdir / "initrd", spec.script or None, spec.files, spec.packages)
    if spec.hypervisor == "none":
        argv += ["-kernel", kernel, "-initrd", rd,
                 "-append", f"console=ttyS0 panic=-1 {spec.kernel_args}"]
        return argv + list(spec.qemu)
    # norandmaps: the emulator translates code again for every address a page is mapped at, and when the page is
    # written, looks through the list of all those translations once for each: after some thousand processes a
    # host stands still for minutes over a page of libc.
    kargs = f"console=hvc0 earlyprintk=xen panic=5 norandmaps {spec.kernel_args}".strip()
    image = hypervisor_image(spec)
    if spec.kernel == "none":
        return argv + ["-kernel", image, "-append", hypervisor_args(spec)] + list(spec.qemu)
    if spec.boot == "kernel":
        # A comma ends a module in QEMU's list; it is written twice to mean itself.
        comma = kargs.replace(",", ",,")
        argv += ["-kernel", image, "-append", hypervisor_args(spec),
                 "-initrd", f"{kernel} {comma},{rd}"]
    else:
        cd = iso.make(workdir / "boot.iso", image, hypervisor_args(spec), kernel, kargs, rd)
        argv += ["-drive", f"file={cd},media=cdrom,if=none,id=cd,readonly=on"]
        if spec.machine == "q35":
            argv += ["-device", "ide-cd,drive=cd,bus=ide.5,bootindex=1"]
        else:
            argv += ["-device", "ide-cd,drive=cd,bus=ide.1,bootindex=1"]
        if spec.boot == "uefi":
            argv += ["-drive", "if=pflash,format=raw,unit=0,readonly=on,"
                               "file=/usr/share/OVMF/OVMF_CODE.fd",
                     "-drive", "if=pflash,format=raw,unit=1,snapshot=on,"
                               "file=/usr/share/OVMF/OVMF_VARS.fd"]
    return argv + list(spec.qemu)


def scratch():
    CACHE.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(prefix="run-", dir=CACHE)


@dataclasses.dataclass
class Result:
    """What a run said. `problem` is empty when it went through to its own end."""
    problem: str = ""
    checks: list = dataclasses.field(default_factory=list)      # (passed, name)
    info: dict = dataclasses.field(default_factory=dict)
    complaints: list = dataclasses.field(default_factory=list)
    seconds: float = 0
    init_seconds: float = 0
    log: pathlib.Path = None
    state: str = ""     # what the hypervisor said of itself when the script did not end

    @property
    def passed(self):
        return not self.problem and not self.complaints and all(p for p, _ in self.checks)


def follow(machine, timeout, result, on_mark=None, last="exit"):
    """Collects marks until the one named last."""
    end = time.monotonic() + timeout
    while True:
        m = machine.expect(MARK, max(1, end - time.monotonic()))
        kind, rest = m.group(1), m.group(2).strip()
        if on_mark:
            on_mark(kind, rest)
        if kind in ("ok", "not ok"):
            result.checks.append((kind == "ok", rest))
        elif kind == "info":
            key, _, value = rest.partition("=")
            result.info[key] = value
        elif kind == "init":
            result.init_seconds = time.monotonic() - machine.started
        if kind == last:
            if kind == "exit" and rest != "0" and all(p for p, _ in result.checks):
                result.problem = f"the script ended with exit status {rest}"
            return


def run_script(spec, log=None, echo=False, on_mark=None):
    """Boots the host, runs its script to the end, powers off."""
    result = Result(log=pathlib.Path(log or LOGS / "hosts" / f"{spec.name}.log"))
    with scratch() as d:
        argv = command(spec, d)
        with qemu.Machine(argv, result.log, spec.name, echo) as m:
            try:
                follow(m, spec.timeout * SLOW, result, on_mark)
                if m.wait(30) is None:
                    result.problem = result.problem or "the machine did not power off"
            except qemu.Died as e:
                result.problem = str(e)
            except qemu.Timeout as e:
                result.problem = str(e)
                result.state = m.state()
            result.seconds = time.monotonic() - m.started
            result.complaints = [c.strip() for c in COMPLAINT.findall(m.text)]
    return result


def progress(kind, rest):
    """A line for a person watching."""
    if kind != "exit":
        say(f"{kind} {rest}")


# What a shell tells its terminal between the lines, and the terminal's own ends of lines.
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")

PROMPT = r"\n[^\n]*# (?:\x1b\[[^\n]*)?$"


def log_in(spec, commands, log=None):
    """Boots the system on the spec's disk to its login, logs in and types commands.

    commands: [(name, command, regular expression its output has to match)]; each is a check."""
    result = Result(log=pathlib.Path(log or LOGS / "hosts" / f"{spec.name}.log"))
    root = "/dev/sda" if spec.disk == "ahci" else "/dev/vda"
    spec = dataclasses.replace(
        spec, kernel_args=f"lab.root={root} systemd.show_status=0 {spec.kernel_args}".strip())
    with scratch() as d, qemu.Machine(command(spec, d), result.log, spec.name) as m:
        end = m.started + spec.timeout * SLOW
        try:
            m.expect(r"@@ init", end - time.monotonic())
            result.init_seconds = time.monotonic() - m.started
            m.expect(r"login: ", end - time.monotonic())
            result.info["login_seconds"] = f"{time.monotonic() - m.started:.1f}"
            result.checks.append((True, "login"))
            m.send("root\n")
            m.expect(PROMPT, max(30, end - time.monotonic()))
            for name, what, want in commands:
                # The echo of the line shows "$?", its output a number.
                m.send(f"{what}; echo status=$?\n")
                text = m.expect(r"(?s)(.*?)status=(\d+)\s", max(10, end - time.monotonic()))
                good = text.group(2) == "0" and re.search(want, CONTROL.sub("", text.group(1)), re.M)
                result.checks.append((bool(good), name))
            m.send("systemctl poweroff --force --force\n")
            if m.wait(60) is None:
                result.problem = "the machine did not power off"
        except (qemu.Died, qemu.Timeout) as e:
            result.problem = str(e)
        result.seconds = time.monotonic() - m.started
        result.complaints = [c.strip() for c in COMPLAINT.findall(m.text)]
    return result


def watch(spec, patterns, log=None):
    """Boots the host and waits for each pattern in turn; for boots that are meant to fail."""
    result = Result(log=pathlib.Path(log or LOGS / "hosts" / f"{spec.name}.log"))
    with scratch() as d, qemu.Machine(command(spec, d), result.log, spec.name) as m:
        end = m.started + spec.timeout * SLOW
        try:
            for p in patterns:
                m.expect(p, max(1, end - time.monotonic()), fatal=None)
                result.checks.append((True, p))
        except (qemu.Died, qemu.Timeout) as e:
            result.problem = str(e)
        result.seconds = time.monotonic() - m.started
    return result


class Web:
    """A file server on this machine's loopback, which guests reach as 10.0.2.2.

    What is posted to a path goes to its function as a file; what that returns, (good, text), is the answer."""

    def __init__(self, files, posts=None):
        class Handler(http.server.BaseHTTPRequestHandler):
            """Serves the files by name; sends nothing to the log."""
            def do_GET(self):   # pylint: disable=invalid-name
                """One of the files, or 404."""
                body = files.get(self.path.lstrip("/"))
                self.send_response(200 if body is not None else 404)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def do_POST(self):  # pylint: disable=invalid-name
                """What is sent, to whoever takes it."""
                what = (posts or {}).get(self.path.lstrip("/"))
                left = int(self.headers.get("Content-Length", 0))
                with tempfile.TemporaryFile() as f:
                    while left and (part := self.rfile.read(min(left, 1 << 20))):
                        f.write(part)
                        left -= len(part)
                    f.seek(0)
                    good, text = what(f) if what and not left else (False, "not taken")
                body = text.encode()
                self.send_response(200 if good else 422)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args):  # pylint: disable=arguments-differ
                """Quiet."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.server.shutdown()

# SPDX-License-Identifier: GPL-2.0-or-later
"""Two hosts, a network between them, a disk both see.

    host a  eth1 192.168.77.1 ----- socket ----- 192.168.77.2 eth1  host b
       \\__ /dev/vda ___ qemu-nbd (one image) ___ /dev/vda __/

The script runs on host a. Host b listens on ports of that network: 9000 gives a shell (in_guest of
/lab/lib.sh, as on_b), 9001 gives `xl migrate-receive`. When a has ended, b is ended too.
"""
import contextlib
import dataclasses
import pathlib
import shutil
import socket
import subprocess
import time

from . import LOGS, LabError, host, qemu
from .util import run

A, B = "192.168.77.1", "192.168.77.2"
SERVE = r"""
. /lab/lib.sh
(while :; do socat -t 900 TCP-LISTEN:9001,reuseaddr EXEC:'xl migrate-receive'; done) &
ok b listens
printf '\n@@ info b=ready\n'
socat -t 900 TCP-LISTEN:9000,reuseaddr,fork EXEC:bash
"""


@contextlib.contextmanager
def shared_disk(image, where):
    """An NBD server on a scratch overlay of image; yields its address for QEMU."""
    if not shutil.which("qemu-nbd"):
        raise LabError("qemu-nbd is not installed: run scripts/setup")
    overlay, sock = pathlib.Path(where) / "shared.qcow2", pathlib.Path(where) / "nbd.sock"
    run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", image, overlay])
    with subprocess.Popen(["qemu-nbd", "--shared=8", "--persistent", "--cache=writeback",
                           "-f", "qcow2", "-k", str(sock), str(overlay)]) as p:
        try:
            end = time.monotonic() + 20
            while not sock.exists():
                if p.poll() is not None or time.monotonic() > end:
                    raise LabError("qemu-nbd did not start")
                time.sleep(0.05)
            yield f"nbd+unix:///?socket={sock}"
        finally:
            p.terminate()


def _free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def _specs(spec, peer, disk):
    link = f"127.0.0.1:{_free_port()}"
    ends = []
    for name, kind, addr, how, n in (("a", spec.hypervisor, A, "listen", 1),
                                     ("b", peer, B, "connect", 2)):
        ends.append(dataclasses.replace(
            spec, name=f"{spec.name}-{name}", hypervisor=kind,
            disks=(disk,) if disk else (),
            script=spec.script if name == "a" else SERVE,
            kernel_args=f"{spec.kernel_args} lab.ip2={addr}/24".strip(),
            qemu=(*spec.qemu, "-netdev", f"socket,id=n1,{how}={link}",
                  "-device", f"virtio-net-pci,netdev=n1,mac=52:54:00:77:00:0{n}")))
    return ends


def run_script(spec, peer, log=None, on_mark=None):
    """Boots both hosts, runs the script on the first."""
    base = pathlib.Path(log or LOGS / "hosts" / f"{spec.name}.log")
    result = host.Result(log=base)
    end = time.monotonic() + spec.timeout * host.SLOW
    with contextlib.ExitStack() as stack:
        d = pathlib.Path(stack.enter_context(host.scratch()))
        disk = stack.enter_context(shared_disk(spec.disks[0], d)) if spec.disks else ""
        a, b = _specs(spec, peer, disk)
        for name in ("a", "b"):
            (d / name).mkdir()
        ma = stack.enter_context(qemu.Machine(host.command(a, d / "a"), base, a.name))
        mb = stack.enter_context(qemu.Machine(host.command(b, d / "b"),
                                              base.with_suffix(".b.log"), b.name))
        try:
            mb.expect(r"@@ info b=ready", end - time.monotonic())
            host.follow(ma, end - time.monotonic(), result, on_mark)
        except (qemu.Died, qemu.Timeout) as e:
            result.problem = str(e)
        result.seconds = time.monotonic() - ma.started
        result.complaints = [c.strip() for m in (ma, mb) for c in host.COMPLAINT.findall(m.text)]
    return result

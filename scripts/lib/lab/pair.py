# SPDX-License-Identifier: GPL-2.0-or-later
"""Two hosts, a network between them, a disk both see.

    host a  eth1 192.168.77.1 ----- socket ----- 192.168.77.2 eth1  host b
       \\__ /dev/vda ___ qemu-nbd (one image) ___ /dev/vda __/

The script runs on host a. Both listen for ssh, with keys made for this run; to each other they are
known as a and b. Each has a certificate for seraid, which a script may start. Host b also listens on two ports of that network: 9000 gives a shell (in_guest of
/lab/lib.sh, as on_b), 9001 gives `xl migrate-receive`. When a has ended, b is ended too.
"""
import contextlib
import dataclasses
import os
import pathlib
import shutil
import subprocess
import time

from . import LOGS, TOP, LabError, debs, host, qemu
from .util import run

ADDRESS = {"a": "192.168.77.1", "b": "192.168.77.2"}
SERVE = r"""
. /lab/lib.sh
(while :; do socat -t 900 TCP-LISTEN:9001,reuseaddr EXEC:'xl migrate-receive'; done) &
ok b listens
printf '\n@@ info b=ready\n'
socat -t 900 TCP-LISTEN:9000,reuseaddr,fork EXEC:bash
"""
SSH_CONFIG = """Host a
  HostName 192.168.77.1
Host b
  HostName 192.168.77.2
Host *
  User root
  BatchMode yes
  ServerAliveInterval 20
"""
SSHD_CONFIG = """PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
HostKey /etc/ssh/host_key
UseDNS no
"""


def _wait_for(path, process, what):
    """Until a server's socket is there."""
    end = time.monotonic() + 20
    while not path.exists():
        if process.poll() is not None or time.monotonic() > end:
            raise LabError(f"{what} did not start")
        time.sleep(0.05)


@contextlib.contextmanager
def shared_disk(image, where):
    """An NBD server on a scratch overlay of image; yields its address for QEMU."""
    if not shutil.which("qemu-nbd"):
        raise LabError("qemu-nbd is not installed: run scripts/setup")
    overlay, sock = pathlib.Path(where) / "shared.qcow2", pathlib.Path(where) / "nbd.sock"
    run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", image, overlay])
    with subprocess.Popen(["qemu-nbd", "--shared=8", "--persistent", "--cache=unsafe",
                           "-f", "qcow2", "-k", str(sock), str(overlay)]) as p:
        try:
            _wait_for(sock, p, "qemu-nbd")
            yield f"nbd+unix:///?socket={sock}"
        finally:
            p.terminate()


def _keys(where):
    """Keys of this run: one user's, who may log in on both hosts, and a host key each."""
    if not shutil.which("ssh-keygen"):
        raise LabError("ssh-keygen is not installed: run scripts/setup")
    made = {}
    for name in ("user", *ADDRESS):
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", where / f"key-{name}"])
        made[name] = (where / f"key-{name}.pub").read_text(encoding="ascii")
    texts = {"authorized_keys": made["user"], "config": SSH_CONFIG, "sshd_config": SSHD_CONFIG,
             "known_hosts": "".join(f"{n},{a} {made[n]}" for n, a in ADDRESS.items())}
    for name, text in texts.items():
        (where / name).write_text(text, encoding="ascii")
        (where / name).chmod(0o600)
    return {name: ((where / "key-user", "/root/.ssh/id_ed25519"),
                   (where / "authorized_keys", "/root/.ssh/authorized_keys"),
                   (where / "known_hosts", "/root/.ssh/known_hosts"),
                   (where / "config", "/root/.ssh/config"),
                   (where / "sshd_config", "/etc/ssh/sshd_config"),
                   (where / f"key-{name}", "/etc/ssh/host_key"),
                   (debs.tree() / "usr/bin/ssh", "/usr/bin/ssh"),
                   (debs.tree() / "usr/sbin/sshd", "/usr/sbin/sshd")) for name in ADDRESS}


def _certificates(where):
    """A CA of this run, a certificate a host, and roles: each may do all on the other."""
    tls, roles = where / "tls", where / "roles"
    make = [TOP / "toolstack" / "agent" / "serai-certs"]
    for what, (name, address) in zip(("init", "host"), ADDRESS.items()):
        run([*make, what, name, address], env={**os.environ, "SERAI_TLS_DIR": str(tls)})
    roles.write_text("".join(f"operate {n}\nmigrate {n}\n" for n in ADDRESS), encoding="ascii")
    return {name: ((tls / "ca.pem", "/etc/serai/tls/ca.pem"), (roles, "/etc/serai/tls/roles"),
                   (where_of / "cert.pem", "/etc/serai/tls/cert.pem"),
                   (where_of / "key.pem", "/etc/serai/tls/key.pem"))
            for name, where_of in (("a", tls), ("b", tls / "b"))}


def specs(spec, peer, disk, where):
    """The two hosts' specs: a has the script, b serves; a's QEMU makes the link's socket."""
    link = where / "link.sock"
    keys, certificates = _keys(where), _certificates(where)
    ends = []
    for name, kind, server, n in (("a", spec.hypervisor, "on", 1), ("b", peer, "off", 2)):
        ends.append(dataclasses.replace(
            spec, name=f"{spec.name}-{name}", hypervisor=kind,
            boot=spec.boot if name == "a" else "kernel",
            disks=(disk,) if disk else (),
            script=spec.script if name == "a" else SERVE,
            files=(*spec.files, *keys[name], *certificates[name]),
            kernel_args=f"{spec.kernel_args} lab.ip2={ADDRESS[name]}/24 lab.host={name}".strip(),
            qemu=(*spec.qemu, "-netdev",
                  f"stream,id=n1,server={server},addr.type=unix,addr.path={link}",
                  "-device", f"virtio-net-pci,netdev=n1,mac=52:54:00:77:00:0{n}")))
    return ends, link


@contextlib.contextmanager
def machines(spec, peer, base):
    """Both hosts, b ready to serve."""
    with contextlib.ExitStack() as stack:
        d = pathlib.Path(stack.enter_context(host.scratch()))
        disk = stack.enter_context(shared_disk(spec.disks[0], d)) if spec.disks else ""
        (a, b), link = specs(spec, peer, disk, d)
        for name in ADDRESS:
            (d / name).mkdir()
        ma = stack.enter_context(qemu.Machine(host.command(a, d / "a"), base, a.name))
        _wait_for(link, ma.proc, "the first host's QEMU")
        mb = stack.enter_context(qemu.Machine(host.command(b, d / "b"),
                                              base.with_suffix(".b.log"), b.name))
        yield ma, mb


def run_script(spec, peer, log=None, on_mark=None):
    """Boots both hosts, runs the script on the first."""
    base = pathlib.Path(log or LOGS / "hosts" / f"{spec.name}.log")
    result = host.Result(log=base)
    end = time.monotonic() + spec.timeout * host.SLOW
    with machines(spec, peer, base) as (ma, mb):
        try:
            host.follow(ma, end - time.monotonic(), result, on_mark)
        except (qemu.Died, qemu.Timeout) as e:
            result.problem = f"{e}; host b: {mb.last_line()}"
        result.seconds = time.monotonic() - ma.started
        result.complaints = [c.strip() for m in (ma, mb) for c in host.COMPLAINT.findall(m.text)]
    return result

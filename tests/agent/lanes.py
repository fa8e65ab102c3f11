# SPDX-License-Identifier: GPL-2.0-or-later
"""A move over several connections: what comes through, who may bring one, and what is lost with one."""
import contextlib
import hashlib
import os
import pathlib
import random
import re
import select
import socket
import ssl
import subprocess
import threading
import time

import serai
import wire

LIMIT = 20
MOVE = 50 << 20
FRAME = 256 * 1024 - 12
TESTS = []


def test(f):
    TESTS.append(f)
    return f


def start(w, connections, *words, host=None, **kw):
    """serai-tls as serai migrate --connections uses it."""
    kw.setdefault("stderr", subprocess.PIPE)
    return subprocess.Popen([w.build / "toolstack/serai-tls", f"--connections={connections}", host or w.agent.host,
                             "migrate-receive", *words], env=w.env("mover"), stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, **kw)


def close(p):
    for f in (p.stdin, p.stdout, p.stderr):
        if f:
            with contextlib.suppress(BrokenPipeError):
                f.close()


def threads(pid):
    return int(re.search(r"Threads:\t(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1])


def resident(pid):
    """Of a process, in MiB."""
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1]) >> 10


def until(what, why):
    end = time.monotonic() + LIMIT
    while not what():
        assert time.monotonic() < end, why
        time.sleep(0.05)


def gone(pid):
    until(lambda: not os.path.exists(f"/proc/{pid}"), f"{pid} is still there")


def pieces(total, seed):
    """noise() in writes of all sizes."""
    r, data = random.Random(seed), b"".join(serai.noise(total))
    at = 0
    while at < total:
        n = min(r.choice((1, 7, 4096, r.randrange(1, 70000), r.randrange(1, 1 << 20))), total - at)
        yield data[at:at + n]
        at += n


@test
def intact(w):
    """over 1, 2, 4 and 16 connections a stream of 50 MB arrives as it was, with answers in the midst of it"""
    for n in (1, 2, 4, 16):
        since = len(w.agent.log)
        digest, sent, heard = hashlib.sha256(), 0, []
        p = start(w, n, "--token=" + "a" * 32)
        assert p.stdout.readline() == b"ready\n"
        p.stdin.write(f"{MOVE}\n".encode())
        p.stdin.flush()
        for data in pieces(MOVE, n):
            p.stdin.write(data)
            p.stdin.flush()
            digest.update(data)
            before, sent = sent, sent + len(data)
            if before // (11 << 20) != sent // (11 << 20):
                heard.append(p.stdout.readline())      # while the rest is still to come
        assert heard == [f"have {i}\n".encode() for i in (10, 20, 30, 40)], heard
        assert p.stdout.readline() == b"have 50\n"
        assert p.stdout.readline() == f"built {digest.hexdigest()}\n".encode(), n
        os.write(p.stdin.fileno(), b"go\n")
        assert p.stdout.readline() == b"running\n"
        os.write(p.stdin.fileno(), b"thanks\n")
        p.stdin.close()
        assert p.wait(LIMIT) == 0 and p.stdout.read() == b"" and p.stderr.read() == b"", n
        close(p)
        w.agent.wait("mover: serai migrate-receive: status 0", since=since)
        said = [x for x in w.agent.log[since:] if "runs serai migrate-receive" in x]
        assert len(said) == 1 and said[0].endswith(f", over {n} connections" if n > 1 else "a" * 32), said
        assert not [x for x in w.agent.log[since:] if "cut" in x], w.agent.log[since:]


@test
def ends(w):
    """the end of the command and the end of its input are carried, whichever comes first"""
    p = start(w, 4, "--decide=" + "a" * 32)            # ends while its input is open
    assert p.stdout.readline() == b"running\n" and p.wait(LIMIT) == 0 and p.stderr.read() == b""
    close(p)
    p = start(w, 4)
    assert p.stdout.readline() == b"ready\n"
    p.stdin.write(f"{MOVE}\n".encode() + bytes(3 << 20))
    p.stdin.close()
    assert p.wait(LIMIT) == 1 and (w.dir / "gave-up").read_text() == str(3 << 20), p.stderr.read()
    close(p)
    for data in (b"", b"0\n"):
        p = start(w, 16)
        assert p.stdout.readline() == b"ready\n"
        p.stdin.write(data)
        p.stdin.close()
        assert p.wait(LIMIT) == 1
        close(p)


def cut_one(w, agent, which, idle):
    """Cuts that connection of four, while data flows or while none does."""
    line = wire.Wire(agent.port)
    since = len(agent.log)
    (w.dir / "gave-up").unlink(missing_ok=True)
    p = start(w, 3, host=line.host)
    assert p.stdout.readline() == b"ready\n"
    line.wait(4)
    pid = int((w.dir / "pid").read_text())
    p.stdin.write(f"{MOVE}\n".encode())
    writer = None
    if idle:
        p.stdin.write(bytes(10 << 20))
        p.stdin.flush()
        assert p.stdout.readline() == b"have 10\n"
    else:
        def flood():
            with contextlib.suppress(BrokenPipeError):
                for _ in range(49):
                    p.stdin.write(bytes(1 << 20))
        writer = threading.Thread(target=flood)
        writer.start()
        until(lambda: line.pairs[which or 1].carried > 1 << 20, "nothing is carried")
    begin = time.monotonic()
    line.pairs[which].cut()
    assert p.wait(LIMIT) == 1, (which, idle)
    err = p.stderr.read().decode()
    assert "the connection was cut" in err.splitlines()[-1], err
    agent.wait("migrate-receive: status 1", "the connection was cut", since=since)
    assert (w.dir / "gave-up").exists()
    gone(pid)
    assert time.monotonic() - begin < 10, "it took too long"
    if writer:
        writer.join(LIMIT)
        assert not writer.is_alive()
    close(p)
    line.close()


@test
def cut(w):
    """one connection that is cut, whichever and with or without data on it, is the end of the move to both sides"""
    agent = w.spawn()
    quiet = threads(agent.proc.pid)
    for which in (0, 1, 3):
        for idle in (False, True):
            cut_one(w, agent, which, idle)
    until(lambda: threads(agent.proc.pid) == quiet, "threads are left")
    assert agent.stop() == 0


@test
def killed(w):
    """a sender that is killed, and an agent that is, cut all the connections"""
    agent = w.spawn()
    for kill in ("sender", "agent"):
        (w.dir / "gave-up").unlink(missing_ok=True)
        p = start(w, 4, host=agent.host)
        assert p.stdout.readline() == b"ready\n"
        p.stdin.write(f"{MOVE}\n".encode() + bytes(12 << 20))
        p.stdin.flush()
        assert p.stdout.readline() == b"have 10\n"
        pid = int((w.dir / "pid").read_text())
        if kill == "sender":
            p.kill()
            p.wait(LIMIT)
            agent.wait("migrate-receive: status 1", "cut")
        else:
            agent.proc.kill()
            agent.proc.wait(LIMIT)
            assert p.wait(LIMIT) == 1 and b"cut" in p.stderr.read()
        gone(pid)
        assert (w.dir / "gave-up").exists()
        close(p)


@test
def bounded(w):
    """a connection that stands still stops the stream, in little memory; then all of it arrives"""
    agent = w.spawn()
    line = wire.Wire(agent.port)
    p = start(w, 4, host=line.host)
    assert p.stdout.readline() == b"ready\n"
    line.wait(5)
    total, took, digest = 100 << 20, 0, hashlib.sha256()
    os.write(p.stdin.fileno(), f"{total}\n".encode())
    before = resident(agent.proc.pid), resident(p.pid)
    line.pairs[2].open.clear()
    source = serai.noise(total)
    data = b""
    os.set_blocking(p.stdin.fileno(), False)
    while select.select([], [p.stdin], [], 2)[1]:      # until nothing is taken for two seconds
        data = data or next(source)
        n = os.write(p.stdin.fileno(), data)
        digest.update(data[:n])
        took, data = took + n, data[n:]
        assert took < 80 << 20, "it is taken all the same"
    grown = resident(agent.proc.pid) - before[0], resident(p.pid) - before[1]
    assert max(grown) < w.room, (grown, took)
    line.pairs[2].open.set()
    os.set_blocking(p.stdin.fileno(), True)
    said = []
    reader = threading.Thread(target=lambda: said.extend(p.stdout))
    reader.start()
    for block in (data, *source):
        p.stdin.write(block)
        digest.update(block)
    p.stdin.close()
    assert p.wait(LIMIT) == 1, "no go was said"
    reader.join(LIMIT)
    assert said[-1] == f"built {digest.hexdigest()}\n".encode(), said
    print(f"  {took >> 20} MiB were taken, {grown} MiB more held by agent and client")
    close(p)
    line.close()
    assert agent.stop() == 0


def upgrade(w, who, path, protocol, agent=None, **headers):
    """(status, answer, socket) of a request that asks to become something else."""
    c = ssl.create_default_context(cafile=w.tls / "ca.pem")
    c.load_cert_chain(w.tls / who / "cert.pem", w.tls / who / "key.pem")
    s = c.wrap_socket(socket.create_connection(("localhost", (agent or w.agent).port), LIMIT),
                      server_hostname="localhost")
    lines = "".join(f"Serai-{k.capitalize()}: {v}\r\n" for k, v in headers.items())
    s.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: {protocol}\r\n{lines}\r\n".encode())
    got = b""
    while b"\r\n\r\n" not in got or (b" 101 " not in got.split(b"\r\n")[0] and not got.endswith(b"}")):
        data = s.recv(4096)
        assert data, got
        got += data
    return int(got.split()[1]), got.decode(), s


def bundle(w, n, agent=None):
    """A call whose input n connections are to bring: (its socket, token)."""
    status, text, s = upgrade(w, "mover", "/v1/run?arg=migrate-receive", "serai-run", agent, connections=n)
    assert status == 101, text
    return s, re.search(r"(?i)^serai-bundle: ([0-9a-f]{64})\r$", text, re.M)[1]


def lane(w, token, number, who="mover", agent=None):
    return upgrade(w, who, "/v1/lane", "serai-lane", agent, bundle=token, lane=number)


def refused(w, says, *args, status=403, **kw):
    got, text, s = lane(w, *args, **kw)
    s.close()
    assert got == status and says in text and '"remedy"' in text, (says, text)


@test
def strangers(w):
    """a connection that is not this move's is refused: token, certificate, role, number, time"""
    s, token = bundle(w, 3)
    refused(w, "no call here has that token", "0" * 64, 0)
    refused(w, "no call here has that token", token[:-1], 0)
    refused(w, "no call here has that token", "", 0)
    refused(w, "given to another certificate", token, 0, who="Alice L.")
    refused(w, "does not have the role", token, 0, who="viewer")
    for number in ("3", "15"):
        refused(w, "fewer connections", token, number)
    for number in ("16", "-1", "", "x", "0x1", "+1", "9" * 30):
        refused(w, "no number of a connection", token, number)
    got, _, first = lane(w, token, 0)
    assert got == 101
    refused(w, "has come already", token, 0)
    # None of that did the move any harm.
    got, _, second = lane(w, token, 1)
    assert got == 101
    first.close()                                       # but this does
    w.agent.wait("its connection 1 of 3: cut")
    assert s.recv(4096) in (b"", b"\0\0\0\6ready\n")
    s.close()
    second.close()
    until(lambda: "no call here" in lane(w, token, 2)[1], "the token is still good")
    late = w.spawn("--join=0")
    s, token = bundle(w, 2, late)
    refused(w, "has expired", token, 0, agent=late)
    s.close()
    p = start(w, 3, host=late.host)
    out, err = p.communicate(timeout=LIMIT)
    assert p.returncode == 1 and out in (b"", b"ready\n") and b"has expired (start the move again)" in err, err
    late.wait("migrate-receive: status 1", "cut")
    assert late.stop() == 0
    assert not [x for x in w.agent.log + late.log if token in x], "a token is in the log"
    for n, path in (("17", "migrate-receive"), ("0", "migrate-receive"), ("x", "migrate-receive"), ("2", "list")):
        status, text, s = upgrade(w, "Alice L.", f"/v1/run?arg={path}", "serai-run", connections=n)
        s.close()
        assert status == 400 and "bad-arguments" in text and "1 to 16" in text, text
    assert w.http("mover", "/v1/lane")[0] == 426 and w.http("viewer", "/v1/lane")[0] == 403


def frame(number, data=b"", length=None):
    return number.to_bytes(8, "big") + (len(data) if length is None else length).to_bytes(4, "big") + data


def answers(s):
    """What came back by the call's connection until it ended: (output, status or None)."""
    data = b""
    with contextlib.suppress(OSError):
        while part := s.recv(65536):
            data += part
            if b"\2\0\0\1" in data:
                break
    out, status = b"", None
    while len(data) >= 4:
        n = int.from_bytes(data[1:4], "big")
        if data[0] == 0:
            out += data[4:4 + n]
        elif data[0] == 2:
            status = data[4]
        data = data[4 + n:]
    return out, status


@test
def frames(w):
    """frames come in any order; those that cannot be end the move, and only that"""
    s, token = bundle(w, 2)
    (_, _, a), (_, _, b) = lane(w, token, 0), lane(w, token, 1)
    body = b"".join(serai.noise(3 * FRAME))
    a.sendall(frame(1, body[:FRAME]) + frame(3, body[2 * FRAME:]) + frame(5, b"thanks\n"))
    b.sendall(frame(0, f"{len(body)}\n".encode()) + frame(2, body[FRAME:2 * FRAME]) + frame(4, b"go\n") + frame(6))
    a.sendall(frame(6))
    want = f"ready\nbuilt {hashlib.sha256(body).hexdigest()}\nrunning\n".encode()
    assert answers(s) == (want, 0)
    for x in (s, a, b):
        x.close()
    for here, there in (
            (frame(0, b"x") + frame(0, b"x"), b""),                     # twice
            (frame(1, b"x") + frame(1, b"x"), b""),
            (frame(0, length=FRAME + 1), b""),                          # too long
            (frame(0, length=1 << 31), b""),
            (frame(2, b"x") + frame(1), b""),                           # behind the end
            (frame(2), frame(2, b"x")),
            (frame(2), frame(7, b"x")),
            (frame(2), frame(3)),                                       # two ends
            (frame((1 << 64) - 1), b""),
            (b"\xff" * 4096, b""),
            (b"GET / HTTP/1.1\r\n\r\n", b"")):
        since = len(w.agent.log)
        s, token = bundle(w, 2)
        (_, _, a), (_, _, b) = lane(w, token, 0), lane(w, token, 1)
        for x, data in ((b, there), (a, here)):
            with contextlib.suppress(OSError):
                x.sendall(data)
        w.agent.wait("of 2: Protocol error", since=since)
        w.agent.wait("migrate-receive: status 1", since=since)
        assert answers(s)[1] is None
        for x in (s, a, b):
            x.close()
    assert w.serai("viewer", "list")[0] == 0


@test
def older(w):
    """an agent that knows one connection only gets one, and the user is told"""
    old = wire.OldAgent(w.tls)
    p = start(w, 4, host=old.host)
    out, err = p.communicate(b"".join(serai.noise(1 << 20)), timeout=LIMIT)
    assert p.returncode == 7 and out == b"".join(serai.noise(1 << 20)), (p.returncode, err)
    assert b"goes over one" in err and b"newer seraid" in err, err
    assert old.connections == 1 and b"Serai-Connections: 4\r\n" in old.request, old.request
    for n in ("0", "17", "x", "", "-1"):
        p = start(w, n)
        assert p.communicate(timeout=LIMIT)[1].startswith(b"Usage") and p.returncode == 1

#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What seraid runs in place of serai: programs that show what comes through, and what does not."""
import hashlib
import os
import pathlib
import signal
import sys
import time

DIR = pathlib.Path(os.environ.get("AGENT_TEST_DIR", "."))
CHUNK = 1 << 16


def out(data):
    while data:
        data = data[os.write(1, data):]


def noise(total):
    """Bytes that are the same every time and repeat nowhere."""
    n = 0
    while total:
        block = b"".join(hashlib.sha256(str(n + i).encode()).digest() for i in range(2048))
        n += 2048
        yield block[:total]
        total -= min(total, len(block))


def receive(args):
    """A move as migrate-receive has it: lines both ways, with the stream between them."""
    if any(a.startswith("--decide=") for a in args):
        print("running")
        return 0
    (DIR / "pid").write_text(str(os.getpid()))
    out(b"ready\n")
    length = int(sys.stdin.buffer.readline())
    got, digest = 0, hashlib.sha256()
    while got < length:
        data = sys.stdin.buffer.read(min(CHUNK, length - got))
        if not data:
            (DIR / "gave-up").write_text(str(got))
            return 1
        got += len(data)
        digest.update(data)
        if got % (10 << 20) < CHUNK:
            out(f"have {got >> 20}\n".encode())
    out(f"built {digest.hexdigest()}\n".encode())
    if sys.stdin.buffer.readline() != b"go\n":
        (DIR / "gave-up").write_text("at the hand-over")
        return 1
    out(b"running\n")
    return 0 if sys.stdin.buffer.readline() == b"thanks\n" else 3


def stay():
    """Until somebody ends it."""
    (DIR / "pid").write_text(str(os.getpid()))
    out(b"here\n")
    while True:
        time.sleep(3600)


def main():
    args = [a for a in sys.argv[1:] if a not in ("-v", "-N", "-f")]
    verb, rest = args[0], args[1:]
    if verb == "list" and rest == ["--json"]:
        print('[{"name": "fake"}]')
    elif verb == "list":                    # the words, each on a line, as they came
        sys.stdout.write("".join(f"[{a}]\n" for a in sys.argv[1:]))
    elif verb == "metrics":
        sys.stderr.write("a warning\nserai metrics: no hypervisor\n")
        return 1
    elif verb == "info":
        os.kill(os.getpid(), signal.SIGKILL)
    elif verb == "uptime":                  # both outputs at once, and a status
        for i, block in enumerate(noise(int(rest[0]))):
            out(block)
            os.write(2, f"{i}\n".encode())
        return int(rest[1])
    elif verb == "create":                  # what comes in goes out
        while data := os.read(0, CHUNK):
            out(data)
    elif verb == "pause":
        stay()
    elif verb == "unpause":                 # input that nobody reads
        return 7
    elif verb == "destroy":                 # it ends; what it leaves behind keeps the pipes
        if os.fork() == 0:
            (DIR / "pid").write_text(str(os.getpid()))
            time.sleep(3600)
        print("done")
    elif verb == "rename":                  # nothing of the agent's is open here
        print(sorted(int(p) for p in os.listdir("/proc/self/fd")
                     if os.path.exists(f"/proc/self/fd/{p}")))
    elif verb == "migrate-receive":
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        try:
            return receive(rest)
        except BrokenPipeError:             # nobody hears the answers any more
            (DIR / "gave-up").write_text("at an answer")
            return 1
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    code = main()
    sys.stdout.flush()
    sys.exit(code)

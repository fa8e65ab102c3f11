# SPDX-License-Identifier: GPL-2.0-or-later
"""What stands between serai-tls and seraid in a test: a wire that can be held or cut, and an agent of old."""
import socket
import ssl
import struct
import threading

LIMIT = 20


class Pair:
    """One connection, as far as here and on from here."""

    def __init__(self, near, port):
        self.near = near
        self.far = socket.create_connection(("localhost", port), LIMIT)
        self.far.settimeout(None)
        self.open = threading.Event()      # what goes to the agent may pass
        self.open.set()
        self.carried = 0
        for a, b, gate in ((self.near, self.far, self.open), (self.far, self.near, None)):
            threading.Thread(target=self.carry, args=(a, b, gate), daemon=True).start()

    def carry(self, a, b, gate):
        try:
            while data := a.recv(65536):
                if gate:
                    gate.wait()
                    self.carried += len(data)
                b.sendall(data)
            b.shutdown(socket.SHUT_WR)
        except OSError:
            self.cut()

    def cut(self):
        """Reset on both sides."""
        for s in (self.near, self.far):
            try:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()


class Wire:
    """A port that leads to another; its connections are in the order in which they came."""

    def __init__(self, port):
        self.pairs, self.came = [], threading.Condition()
        self.server = socket.create_server(("localhost", 0))
        self.host = f"localhost:{self.server.getsockname()[1]}"
        threading.Thread(target=self.accept, args=(port,), daemon=True).start()

    def accept(self, port):
        try:
            while True:
                near = self.server.accept()[0]
                with self.came:
                    self.pairs.append(Pair(near, port))
                    self.came.notify_all()
        except OSError:
            pass

    def wait(self, n):
        """Until so many connections have come."""
        with self.came:
            assert self.came.wait_for(lambda: len(self.pairs) >= n, LIMIT), len(self.pairs)

    def close(self):
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        for p in self.pairs:
            p.open.set()
            p.cut()


class OldAgent:
    """One that knows nothing of further connections: what it was asked, and that it gives input back, status 7."""

    def __init__(self, tls):
        c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        c.load_cert_chain(tls / "cert.pem", tls / "key.pem")
        c.load_verify_locations(tls / "ca.pem")
        c.verify_mode = ssl.CERT_REQUIRED
        self.request, self.connections = b"", 0
        self.server = socket.create_server(("localhost", 0))
        self.host = f"localhost:{self.server.getsockname()[1]}"
        self.thread = threading.Thread(target=self.serve, args=(c,), daemon=True)
        self.thread.start()

    def serve(self, context):
        s = context.wrap_socket(self.server.accept()[0], server_side=True)
        self.connections += 1
        while b"\r\n\r\n" not in self.request:
            self.request += s.recv(4096)
        s.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: serai-run\r\n\r\n")
        f = s.makefile("rwb")
        while n := int.from_bytes(f.read(4), "big"):       # of channel 0
            f.write(n.to_bytes(4, "big") + f.read(n))
        f.write(b"\2\0\0\1\7")
        f.flush()
        f.close()
        s.close()

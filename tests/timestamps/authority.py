"""A time stamp authority that we did not write: `openssl ts`, behind a loopback HTTP server."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SETTINGS = """
[ tsa ]
default_tsa = tsa_1
[ tsa_1 ]
dir = .
serial = ./serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ordering = no
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
[ tsa_ext ]
basicConstraints = CA:FALSE
extendedKeyUsage = {usage}
[ req ]
distinguished_name = name
[ name ]
"""


class Authority:
    """With its own root in `root.pem`. `usage` is what its certificate is for."""

    def __init__(
        self,
        folder: Path,
        name: str = "Contoh TSA",
        usage: str = "critical,timeStamping",
        days: int = 30,
        key: tuple[str, ...] = ("ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
    ) -> None:
        self.folder = folder
        folder.mkdir()
        (folder / "ts.cnf").write_text(SETTINGS.format(usage=usage))
        (folder / "serial").write_text("01\n")
        key = ("-newkey", *key, "-nodes")
        self.openssl(
            *("req", "-x509", *key, "-keyout", "root.key", "-out", "root.pem", "-days", "30"),
            *("-subj", f"/CN={name} root"),
        )
        self.openssl(
            *("req", "-new", *key, "-keyout", "tsa.key", "-out", "tsa.csr", "-subj", f"/CN={name}")
        )
        self.openssl(
            *("x509", "-req", "-in", "tsa.csr", "-CA", "root.pem", "-CAkey", "root.key"),
            *("-CAcreateserial", "-out", "tsa.pem", "-days", str(days)),
            *("-extfile", "ts.cnf", "-extensions", "tsa_ext"),
        )

    @property
    def root(self) -> Path:
        return self.folder / "root.pem"

    def openssl(self, *arguments: str, ok: bool = True) -> str:
        done = subprocess.run(
            ["openssl", *arguments], cwd=self.folder, capture_output=True, text=True, timeout=30
        )
        assert (done.returncode == 0) == ok, done.stderr
        return done.stdout + done.stderr

    def answer(self, query: bytes) -> bytes:
        """Its answer to a query."""
        (self.folder / "query").write_bytes(query)
        self.openssl(
            *("ts", "-reply", "-config", "ts.cnf", "-queryfile", "query", "-inkey", "tsa.key"),
            *("-signer", "tsa.pem", "-out", "reply"),
        )
        return (self.folder / "reply").read_bytes()


@contextmanager
def serving(answer: Callable[[bytes], tuple[int, bytes] | None]) -> Iterator[str]:
    """A server that answers each body so; None: never. Its address."""
    ended = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found = answer(self.rfile.read(int(self.headers["Content-Length"])))
            if found is None or self.headers["Content-Type"] != "application/timestamp-query":
                ended.wait(20)
                return
            self.send_response(found[0])
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(found[1])))
            self.end_headers()
            self.wfile.write(found[1])

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None
    thread = threading.Thread(target=lambda: server.serve_forever(0.02), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/tsr"
    finally:
        ended.set()
        server.shutdown()
        server.server_close()

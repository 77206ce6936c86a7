"""A fault-injecting HTTP/1.1 reverse proxy on 127.0.0.1, standard library only.

    python3 faults.py PORT UPSTREAM_URL

Rules are set over HTTP on the proxy itself and used up in order, each `times` times
(default 1; -1 for ever):

    POST   /__faults  {"match": "POST /api/v1/statuses", "fault": "reset-after", "times": 1}
    GET    /__faults  -> {"rules": [...], "log": [{"method", "path", "fault", "upstream"}]}
    DELETE /__faults  forgets rules and log

`match` is a regular expression searched in "METHOD /path?query". Faults:

    reset-before   TCP reset before the upstream sees anything
    close-before   orderly close before the upstream sees anything
    hang-before    the upstream sees nothing and the client no answer ("delay" seconds, 600)
    reset-mid      resets after reading half of the request body; the upstream sees nothing
    reset-after    the upstream does its work, then the client gets a TCP reset
    close-after    the upstream does its work, then an orderly close without an answer
    hang-after     the upstream does its work, the client gets no answer for "delay" seconds
    truncate       the upstream's answer, full Content-Length, half of the body, then close
    drip           the upstream's answer at "rate" bytes a second (100)
    delay          waits "delay" seconds (1), then forwards
    status         answers "status", "headers", "body" without asking the upstream
    status-after   the upstream does its work, then "status", "headers", "body" instead (a 502 or 504)
    garbage        bytes that are not HTTP
    html           200 with an HTML page, as a captive portal or a maintenance page answers
"""

import http.client
import json
import re
import socket
import struct
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOP = {
    "connection",
    "keep-alive",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "proxy-connection",
}
rules, log, lock = [], [], threading.Lock()


def take(line):
    with lock:
        for rule in rules:
            if rule["times"] and re.search(rule["match"], line):
                rule["times"] -= 1
                return rule
    return None


class Proxy(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def body(self, part=1.0):
        if "chunked" in self.headers.get("transfer-encoding", "").lower():
            data = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                data += self.rfile.read(size)
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            return data
        return self.rfile.read(int(int(self.headers.get("content-length") or 0) * part))

    def answer(self, status, headers, data, send=None):
        self.send_response_only(status)
        for k, v in headers:
            self.send_header(k, v)
        if not any(k.lower() == "content-length" for k, _ in headers):
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data if send is None else send)
        self.wfile.flush()

    def gone(self, reset):
        self.close_connection = True
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()  # with the two files below, the last owner: an RST goes out
        else:
            try:
                self.connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def control(self):
        data = self.body()
        with lock:
            if self.command == "POST":
                rule = json.loads(data)
                rules.append({"times": 1, **rule, "match": rule.get("match", "")})
            elif self.command == "DELETE":
                rules.clear()
                log.clear()
            out = json.dumps({"rules": rules, "log": log}).encode()
        self.answer(200, [("Content-Type", "application/json")], out)

    def forward(self, data):
        up = self.server.upstream
        make = http.client.HTTPSConnection if up.scheme == "https" else http.client.HTTPConnection
        c = make(up.hostname, up.port, timeout=120)
        try:
            c.putrequest(
                self.command,
                up.path.rstrip("/") + self.path,
                skip_host=True,
                skip_accept_encoding=True,
            )
            c.putheader("Host", up.netloc)
            for k, v in self.headers.items():
                if k.lower() not in HOP | {"host", "content-length", "expect"}:
                    c.putheader(k, v)
            if data or self.command in ("POST", "PUT", "PATCH"):
                c.putheader("Content-Length", str(len(data)))
            c.endheaders(data or None)
            r = c.getresponse()
            payload = r.read()
            kept = [(k, v) for k, v in r.getheaders() if k.lower() not in HOP | {"content-length"}]
            return r.status, kept, payload
        finally:
            c.close()

    def handle_any(self):
        if self.path.startswith("/__faults"):
            return self.control()
        rule = take(f"{self.command} {self.path}") or {}
        fault, wait = rule.get("fault"), rule.get("delay")
        entry = {"method": self.command, "path": self.path, "fault": fault, "upstream": None}
        with lock:
            log.append(entry)
        if fault == "reset-mid":
            self.body(0.5)
            return self.gone(True)
        data = self.body()
        if fault in ("reset-before", "close-before"):
            return self.gone(fault == "reset-before")
        if fault == "hang-before":
            time.sleep(wait or 600)
            return self.gone(False)
        made_up = (
            rule.get("status", 503),
            list(rule.get("headers", {}).items()),
            rule.get("body", "").encode(),
        )
        if fault == "status":
            return self.answer(*made_up)
        if fault == "garbage":
            self.wfile.write(b"\x16\x03\x01 not http\r\n\r\n")
            return self.gone(False)
        if fault == "html":
            return self.answer(
                200, [("Content-Type", "text/html")], b"<!doctype html><title>Sign in</title>"
            )
        if fault == "delay":
            time.sleep(wait or 1)
        try:
            status, headers, payload = self.forward(data)
        except OSError as e:
            entry["upstream"] = repr(e)
            return self.answer(
                502, [("Content-Type", "text/plain")], b"upstream: " + repr(e).encode()
            )
        entry["upstream"] = status
        if fault in ("reset-after", "close-after"):
            return self.gone(fault == "reset-after")
        if fault == "hang-after":
            time.sleep(wait or 600)
            return self.gone(False)
        if fault == "status-after":
            return self.answer(*made_up)
        if fault == "truncate":
            self.answer(
                status,
                headers + [("Content-Length", str(len(payload)))],
                payload,
                payload[: len(payload) // 2],
            )
            return self.gone(False)
        if fault == "drip":
            self.answer(status, headers + [("Content-Length", str(len(payload)))], payload, b"")
            for i in range(len(payload)):
                self.wfile.write(payload[i : i + 1])
                time.sleep(1 / rule.get("rate", 100))
            return None
        return self.answer(status, headers, payload)

    def finish(self):
        try:
            super().finish()
        except OSError:
            pass

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = handle_any


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def shutdown_request(self, request):  # keep a pending RST: no orderly shutdown first
        self.close_request(request)

    def handle_error(self, request, client_address):
        pass


if __name__ == "__main__":
    server = Server(("127.0.0.1", int(sys.argv[1])), Proxy)
    server.upstream = urllib.parse.urlparse(sys.argv[2])
    server.serve_forever()

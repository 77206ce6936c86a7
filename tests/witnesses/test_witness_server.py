"""A witness over HTTP: what it answers to neighbours, and to those who are none."""

from __future__ import annotations

import http.client
import socket
import threading
from contextlib import contextmanager

import pytest
from neighbours import served

from crosspost.witnesses import serving
from crosspost.witnesses.cosignature import cosignatures
from crosspost.witnesses.places import origin_hash


def call(url: str, method: str, path: str, body: bytes | None = None, **headers):
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers
    finally:
        connection.close()


def add(url, request):
    return call(url, "POST", "/add-checkpoint", request.text())


def test_a_neighbour_gets_its_cosignature_and_everybody_sees_it(memory, log):
    place = f"/{origin_hash(log.signer.name)}/checkpoint"
    with served(memory, log.logs) as url:
        assert call(url, "GET", place)[0] == 404
        status, body, _ = add(url, log.request(0, 5))
        assert status == 200
        assert len(cosignatures(log.note(5) + body, [memory.witness()])) == 1
        assert call(url, "GET", place)[:2] == (200, log.note(5) + body)
        assert call(url, "POST", "/behind/a/prefix/add-checkpoint", b"x")[0] == 400


def test_a_conflict_names_the_size_in_its_own_content_type(memory, log):
    with served(memory, log.logs) as url:
        add(url, log.request(0, 5))
        status, body, headers = add(url, log.request(0, 7))
        assert (status, body, headers["Content-Type"]) == (409, b"5\n", "text/x.tlog.size")
        assert add(url, log.request(5, 7))[0] == 200


def test_a_connection_is_kept_for_the_next_request(memory, log):
    with served(memory, log.logs) as url:
        connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)
        for old, size in ((0, 3), (0, 4), (3, 4)):
            connection.request("POST", "/add-checkpoint", log.request(old, size).text())
            answer = connection.getresponse()
            answer.read()
            assert answer.getheader("Connection") is None
        connection.close()


def test_a_fork_is_told(memory, log):
    told: list[str] = []
    with served(memory, log.logs, told) as url:
        add(url, log.request(0, 5))
        for mark in "xy":
            request = log.request(5, 5, mark)
            assert add(url, request)[0] == 422
    assert told == [log.signer.name]


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("POST", "/", b"", {}, 404),
        ("POST", "/add-checkpoint", b"nonsense", {}, 400),
        ("POST", "/add-checkpoint", b"\xff\xfe\n\nx", {}, 400),
        ("POST", "/add-checkpoint", b"old 0\n\nno note", {}, 400),
        ("POST", "/add-checkpoint", None, {"Content-Length": "-1"}, 411),
        ("POST", "/add-checkpoint", None, {"Content-Length": "9999999999999"}, 413),
        ("POST", "/add-checkpoint", None, {"Transfer-Encoding": "chunked"}, 411),
        ("GET", "/", None, {}, 404),
        ("GET", "/../../witness.key/checkpoint", None, {}, 404),
        ("GET", f"/{'0' * 64}/checkpoint", None, {}, 404),
        ("GET", "/" + "x" * 70000, None, {}, 414),
        ("PUT", "/add-checkpoint", b"", {}, 501),
    ],
)
def test_whatever_else_is_asked_is_refused(memory, log, method, path, body, headers, status):
    with served(memory, log.logs) as url:
        assert call(url, method, path, body, **headers)[0] == status
        assert add(url, log.request(0, 3))[0] == 200


def test_a_witness_whose_disk_fails_says_so_and_gives_nothing(memory, log, monkeypatch):
    with served(memory, log.logs) as url:
        memory.path_of(log.signer.name).write_bytes(b"broken")
        status, body, _ = add(url, log.request(0, 3))
        assert status == 500
        assert b"path" not in body
        assert str(memory.folder).encode() not in body
        memory.path_of(log.signer.name).unlink()
        assert add(url, log.request(0, 3))[0] == 200


@contextmanager
def opened(url, data=b""):
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as line:
        line.sendall(data)
        yield line


def test_those_who_never_finish_are_cut_off_and_hinder_nobody(memory, log, monkeypatch):
    monkeypatch.setattr(serving, "LONGEST", 0.5)
    begun = b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 1000\r\n"
    half_body = begun + b"\r\nold 0\n"
    with (
        served(memory, log.logs) as url,
        opened(url, begun) as slow,
        opened(url, half_body) as half,
    ):
        assert add(url, log.request(0, 3))[0] == 200
        for line in (slow, half):
            while line.recv(4096):
                pass  # it ends


def test_no_more_are_answered_at_once_than_may_be(memory, log, monkeypatch):
    monkeypatch.setattr(serving, "LONGEST", 0.7)
    monkeypatch.setattr(serving, "AT_ONCE", 2)
    with served(memory, log.logs) as url:
        idle = [opened(url) for _ in range(4)]
        for one in idle:
            one.__enter__()
        before = threading.active_count()
        assert add(url, log.request(0, 3))[0] == 200  # after the idle ones were cut off
        assert threading.active_count() <= before + 2
        for one in idle:
            one.__exit__(None, None, None)

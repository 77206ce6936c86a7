"""Which addresses clearly lead nowhere, asked of a server on 127.0.0.1."""

from __future__ import annotations

import pytest

from crosspost.adapters import probing
from crosspost.testing.loopback import Platform, Reply, Seen


class Web(Platform):
    """A server with a page, some that are not there, and some that are difficult."""

    def answer(self, seen: Seen) -> Reply:
        status = {"/page": 200, "/moved": 302, "/gone": 410, "/closed": 403, "/busy": 503}
        return Reply(status.get(seen.path, 404), {})


@pytest.fixture
def web():
    with Web() as server:
        yield server


def test_only_what_is_clearly_gone_is_dead(web):
    paths = ("/page", "/moved", "/closed", "/busy", "/gone")
    found = list(probing.dead([web.url + path for path in paths], private=True))
    assert found == [(f"{web.url}/gone", "HTTP status 410")]
    assert list(probing.dead([f"{web.url}/none"], private=True)) == [
        (f"{web.url}/none", "HTTP status 404")
    ]
    assert {seen.method for seen in web.requests} == {"GET"}


def test_a_host_that_there_is_not_is_dead_and_a_port_that_is_closed_is_not(web):
    url = web.url
    [(name, reason)] = probing.dead(["https://no-such-host.invalid/a"], private=True)
    assert (name, reason) == ("https://no-such-host.invalid/a", "there is no such host")
    assert list(probing.dead([url.replace(url.rpartition(":")[2], "1")], private=True)) == []


def test_private_networks_are_not_looked_at(web):
    assert list(probing.dead([f"{web.url}/gone", "http://169.254.169.254/latest"])) == []
    assert web.requests == []


def test_each_address_is_asked_once_and_no_more_than_five(web):
    urls = [f"{web.url}/{number // 2}" for number in range(40)]
    assert len(list(probing.dead(urls, private=True))) == probing.MOST == len(web.requests)

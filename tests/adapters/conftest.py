"""Adapters against platforms of our own on 127.0.0.1."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("crosspost.testing.conformance")

#: A package of its own; `test_third_party.py` installs it and runs its tests.
collect_ignore = ["bulletin"]

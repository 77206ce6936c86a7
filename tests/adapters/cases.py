"""The conformance case of every adapter of ours: `case_<platform>.py` beside this file."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from crosspost.adapters import BUILT_IN
from crosspost.testing.case import Case


def case_of(platform: str) -> type[Case] | None:
    """The case of one platform; None when its file is missing."""
    name = f"case_{platform}"
    if find_spec(name) is None:
        return None
    kinds = [
        kind
        for kind in vars(import_module(name)).values()
        if isinstance(kind, type) and issubclass(kind, Case) and kind is not Case
    ]
    return next(kind for kind in kinds if kind.platform == platform)


CASES: dict[str, type[Case]] = {
    platform: kind for platform in BUILT_IN if (kind := case_of(platform)) is not None
}

"""What libraries and the operating system say of a file that cannot be read or written, in the
admin's words.

They speak English only, so their sentences are known again here; one that is not known stays as it
is. To teach it another one, add it to a table. It must not know what the file is for.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Mapping

from crosspost.wording import t


def of_toml(message: str) -> str:
    """What is wrong with a TOML text, of what `tomllib` says: "Invalid value (at line 3, column 5)"
    (CPython, `tomllib/_parser.py`)."""
    found = re.fullmatch(r"(.+) \(at (?:line (\d+), column (\d+)|end of document)\)", message)
    if not found:
        return _known(message, _toml())
    reason = _known(found[1], _toml())
    if found[2] is None:
        return t("{reason}, at the end of the file", reason=reason)
    return t("{reason}, in line {line}, column {column}", reason=reason, line=found[2],
             column=found[3])  # fmt: skip


def of_system(error: OSError) -> str:
    """Why the operating system refused a file or an address, of its error number (errno(3))."""
    said = _system().get(error.errno or 0)
    return said or error.strerror or str(error) or type(error).__name__


def of_yaml(problem: str) -> str:
    """What is wrong with a YAML text, of the `problem` that PyYAML names."""
    return _known(problem, _yaml())


def _known(words: str, table: Mapping[str, str]) -> str:
    for pattern, ours in table.items():
        if found := re.fullmatch(pattern, words, re.DOTALL):
            return ours.format(**found.groupdict())
    return words


def _toml() -> dict[str, str]:
    return {
        r"Invalid value": t("a value is not well written; a text needs quotation marks"),
        r"Invalid statement": t("this is neither a section nor a key"),
        r"Unterminated string": t("the closing quotation mark of a text is missing"),
        r"Illegal character .+": t("a text goes over the end of its line, or holds a sign that may "
                                   "not stand in it"),
        r"Unescaped .+": t("a backslash in a text must be written twice"),
        r"Expected '=' after a key.*": t("after a key an equals sign must stand"),
        r"Expected newline or end of document.*": t("only one key may stand in a line"),
        r"Expected '\]+' at the end.*": t("the closing bracket of a section is missing"),
        r"Invalid initial character for a key part": t("a key may have letters, digits, - and _"),
        r"Cannot (?:overwrite a value|declare .+ twice|mutate .+|redefine .+)": t(
            "a key or a section stands there twice"
        ),
        r"Duplicate inline table key .+": t("a key or a section stands there twice"),
        r"Unclosed array": t("the closing bracket of a list is missing"),
        r"Unclosed inline table": t("a closing brace is missing"),
        r"Invalid date or datetime": t("there is no such date"),
    }  # fmt: skip


def _yaml() -> dict[str, str]:
    return {
        r"mapping values are not allowed here": t("a colon stands where none may"),
        r"could not find expected ':'": t("the colon after a name is missing"),
        r"found character .+ that cannot start any token": t(
            "a line begins with a tab or another sign that may not stand there"
        ),
        r"found unexpected end of stream": t("a closing quotation mark is missing"),
        r"expected <block end>, but found .+": t("a line is not indented like those around it"),
        r"expected ',' or '[\]}]', but got .+": t("a comma or a closing bracket is missing"),
        r"sequence entries are not allowed here": t("a list may not begin there"),
        r"found undefined alias .+": t("a word with * before it needs quotation marks"),
        r"found unknown escape character .+": t("a backslash in a text must be written twice"),
        r"could not determine a constructor for the tag .+": t(
            "a word with ! before it needs quotation marks"
        ),
        r"found unhashable key": t("a name may not be a list"),
    }


def _system() -> dict[int, str]:
    forbidden, full = t("this account may not do that"), t("the disk is full")
    return {
        errno.ENOENT: t("it is not there"),
        errno.EACCES: forbidden,
        errno.EPERM: forbidden,
        errno.EISDIR: t("it is a folder"),
        errno.ENOTDIR: t("a part of its path is no folder"),
        errno.EEXIST: t("it is there already"),
        errno.ENAMETOOLONG: t("its name is too long"),
        errno.ELOOP: t("its links lead in a circle"),
        errno.ENOSPC: full,
        errno.EDQUOT: t("this account may use no more of the disk"),
        errno.EROFS: t("the disk can be read only"),
        errno.EIO: t("the disk has an error"),
        errno.EMFILE: t("too many files are open"),
        errno.ENFILE: t("too many files are open"),
        errno.EADDRINUSE: t("another program listens there already"),
        errno.EADDRNOTAVAIL: t("this machine has no such address"),
    }

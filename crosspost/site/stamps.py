"""The newest time stamp of the record that a site shows, as far as the ledger goes: whether the
stamp itself holds, whoever reads it decides.

Needs no office and no database. It believes no file before a signature or a hash says so.
"""

from __future__ import annotations

import re
from functools import partial

from crosspost.errors import Undecided
from crosspost.ledger.checkpoint import Checkpoint, read_checkpoint
from crosspost.ledger.keys import Keys
from crosspost.ledger.manifest import NAME, digest_of
from crosspost.site.sources import Source
from crosspost.site.verifying import (
    LEDGER,
    Tiles,
    changed,
    needed,
    require_one_ledger,
    signed_list,
)
from crosspost.wording import t

_TOKEN = re.compile(rf"({LEDGER}/stamps/)([0-9]{{1,18}})\.tsr", re.ASCII)


def newest_stamp(source: Source, shown: Checkpoint, keys: Keys) -> tuple[Checkpoint, bytes, bytes]:
    """The checkpoint that was stamped last, which the ledger that the site shows began with; its
    note; the token. Raises Undecided when there is none, Refuted, ForkProven."""
    listed = signed_list(source, f"{LEDGER}/{NAME}", "", keys)
    found = [match for name in listed.files if (match := _TOKEN.fullmatch(name))]
    if not found:
        raise Undecided(t("The site has no time stamp of its record."))
    newest = max(found, key=lambda match: int(match[2]))
    note, token = (
        needed(source, f"{newest[1]}{newest[2]}{kind}") for kind in (".checkpoint", ".tsr")
    )
    if digest_of(token) != listed.files[newest[0]]:
        raise changed(source, newest[0])
    stamped = keys.read(partial(read_checkpoint, note))
    require_one_ledger(stamped, shown, Tiles(source, shown.size))
    return stamped, note, token

"""A channel's circuit breaker: after failures in a row the whole channel rests, longer each time.

Pure: how many failures there were and the time go in, a decision comes out. Its state is one number
in the channel's row, so that it survives a restart. It must not know why a channel fails
(`retry.py`) or store anything (`queue.py`).

    closed ──LIMIT failures in a row──▶ resting ──the time is over──▶ one delivery goes as a probe
       ▲                                   ▲                            │            │
       └────────── it is published ────────┼────────────────────────────┘            │
                                           └── it fails too: twice as long ──────────┘
"""

from __future__ import annotations

from datetime import datetime, timedelta

#: So many attempts in a row that do not go through are no accident of one post.
LIMIT = 5
#: The first rest, doubled at each further failure up to the longest.
FIRST_REST = timedelta(minutes=1)
LONGEST_REST = timedelta(minutes=30)


def rest_until(failures: int, now: datetime, jitter: float) -> datetime | None:
    """Until when a channel rests that has now failed `failures` times in a row; None: it goes on.

    `now` is aware, `jitter` in [0, 1] makes the rest up to a tenth longer, so that the channels of
    one sick platform do not knock all at once. When the rest is over the channel's next delivery is
    the probe: a channel has one delivery in hand at a time.
    """
    if failures < LIMIT:
        return None
    rest = min(FIRST_REST * int(2 ** min(failures - LIMIT, 16)), LONGEST_REST)
    return now + rest * (1 + jitter / 10)

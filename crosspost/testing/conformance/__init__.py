"""The contract of adapters, as tests. It must not name a platform: what differs is in a `Case`.

A test module imports everything from here and has `CASES`, a mapping of name to `Case` class:

    from crosspost.testing.conformance import *
    CASES = {"fediverse": FediverseCase}

Which tests run for which case follows from the adapter's `Capabilities` and the case's flags; a
feature that no case of the module offers is reported as an empty parameter set. Tests of HTTP are
for adapters that speak it.
"""

from __future__ import annotations

from crosspost.testing.conformance.amending import *  # noqa: F403 - the suite is imported whole
from crosspost.testing.conformance.evidence import *  # noqa: F403 - the suite is imported whole
from crosspost.testing.conformance.failing import *  # noqa: F403 - the suite is imported whole
from crosspost.testing.conformance.introduction import *  # noqa: F403 - the suite is imported whole
from crosspost.testing.conformance.publishing import *  # noqa: F403 - the suite is imported whole
from crosspost.testing.conformance.suite import *  # noqa: F403 - the suite is imported whole

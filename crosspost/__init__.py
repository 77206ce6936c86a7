"""A cross-posting scheduler for public institutions.

Start reading at `lifecycle.py` (how a delivery lives and ends) and `queue.py` (the only writer of
its status). This file holds the version and must import nothing.
"""

__version__ = "0.1.0"

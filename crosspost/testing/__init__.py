"""For authors of adapters: a platform to play against and the contract to pass.

`loopback` is a threaded HTTP server with faults, `case` says what the suite must know of one
adapter, `conformance` is the suite (it needs pytest: `pip install "crosspost[test]"`). Nothing of
the program itself may import this package. How to use it: `docs/adapters.md`.
"""

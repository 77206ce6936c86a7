"""`python -m crosspost` is `crosspost`."""

from crosspost.cli import main

main()

"""Time stamps of checkpoints by an authority outside (RFC 3161): when the record was so at the
latest, by a clock that is not the office's.

Pure: `tokens.py` (what is asked, whether an answer holds). `stamping.py` asks and keeps. Optional:
the library comes with the extra `timestamps`. Nothing here may hinder sealing or publishing.
"""

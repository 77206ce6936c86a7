"""Reports: what an office published in a month, for whoever has to answer for it.

`gathering.py` reads the queue and the record, `figures.py` counts (pure), `sheets.py` and `page.py`
write it down. This room must not change anything, nor judge: it counts what the rows say.
"""

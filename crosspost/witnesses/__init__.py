"""Others who remember: witnesses cosign the checkpoints of this office, and this office those of
its neighbours (C2SP tlog-witness, tlog-cosignature).

Pure: `cosignature.py` (what is signed), `protocol.py` (what is asked, and whether it may be
signed), `standing.py` (when a witness is asked again, when somebody must know). `asking.py` asks
the witnesses of this office; `conflicts.py` knows what they showed that contradicts the head;
`memory.py` keeps what this office has cosigned, `serving.py` answers
its neighbours. Nothing here may hinder sealing or publishing.
"""

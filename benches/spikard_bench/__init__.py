"""The bench harness.

Who is measured (`server`, in its `environment`), on what (`case`), by what (`load`), in which order (`session`), and
what is written of it (`measurement`, `report`, `chart`). `command` is the way in.
"""

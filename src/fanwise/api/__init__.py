"""The wire: the only importer of the SDK, which is loaded where a client is made and not before.

It costs 93 times `python -c pass` to load (`bench/startup.py`), and most of what imports these modules
wants their records alone: so the SDK, `httpx2` and `mcp` are imported inside of functions here, except
in `wire`, which is loaded with the first client itself.
"""

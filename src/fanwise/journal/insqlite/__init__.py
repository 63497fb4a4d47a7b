"""A journal in SQLite, by the parts of the port; those of `inmemory` have the same names.

Beside them `writer` is the connection that writes, and `commits` what waits to be written by it.
"""

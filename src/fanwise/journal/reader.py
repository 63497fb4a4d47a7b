"""A journal in SQLite, open to be looked into: records by their keys; the account is made from its connection."""

from __future__ import annotations

import sqlite3

from .insqlite.batches import BatchesInSqlite
from .insqlite.figures import FiguresInSqlite
from .insqlite.lookups import LookupsInSqlite
from .insqlite.sessions import SessionLookups

Book = sqlite3.Connection
"""A connection to a journal in SQLite, from which its account is made."""


class JournalReader(SessionLookups, LookupsInSqlite, BatchesInSqlite, FiguresInSqlite):
    """The look-ups of a journal in SQLite."""

"""The journal in memory: for plans and tests, and the reference for every other store."""

from __future__ import annotations

from .inmemory.additions import AdditionsInMemory
from .inmemory.batches import BatchesInMemory
from .inmemory.figures import FiguresInMemory
from .inmemory.lookups import LookupsInMemory
from .inmemory.sessions import SessionsInMemory


class MemoryJournal(SessionsInMemory, AdditionsInMemory, LookupsInMemory, BatchesInMemory, FiguresInMemory):
    """A journal in memory; durable for as long as the object lives."""

"""Graphs of typed agents: definition, tracing, the state of a row. Pure, no I/O."""

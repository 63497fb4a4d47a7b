"""A journal in memory, by the parts of the port; those of `insqlite` have the same names."""

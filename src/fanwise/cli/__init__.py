"""The command line: one module per command; commands parse, call the library, print."""

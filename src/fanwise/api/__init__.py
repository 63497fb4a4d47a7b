"""The wire: the only importer of the SDK."""

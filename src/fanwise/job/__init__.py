"""Runs a job: what a run is, its spec, its arms, one session of it, its directory, and what comes of it."""

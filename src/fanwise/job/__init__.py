"""Runs a job: what a run is, its options, its arms, one session of it, its directory, and what comes of it."""

"""One run: rows become tasks, tasks become requests, outcomes are recorded, and on it goes."""

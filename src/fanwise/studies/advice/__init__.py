"""What to change in a graph so that it costs less: each change is a graph of its own, and is planned."""

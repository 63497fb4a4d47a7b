"""What happened, durably: runs, rows, tasks, attempts, batches."""

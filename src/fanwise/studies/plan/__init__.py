"""What a job will cost, before it is paid."""

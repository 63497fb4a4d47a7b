"""Answers questions about a job: a file or a folder for each, named as its command."""

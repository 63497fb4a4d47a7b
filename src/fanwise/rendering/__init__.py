"""What people and programs read of a run: the terminal report and the files of its directory."""

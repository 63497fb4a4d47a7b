"""What a task is shown and in which order: slices, layout, requests. Pure, no I/O."""

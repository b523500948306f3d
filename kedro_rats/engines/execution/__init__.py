"""The execution of one task: the same for every engine."""

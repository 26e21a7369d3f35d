"""Fuzzing: mutated uploads over HTTP, and coverage-guided fuzzing of what reads them. `python -m fuzz --help`."""

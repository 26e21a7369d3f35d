"""Fuzzing: mutated uploads, guided by coverage, and hostile pictures. `python -m fuzz --help`."""

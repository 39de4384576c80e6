"""The front door: the command line, the supervisor, and the one place where all edges meet."""

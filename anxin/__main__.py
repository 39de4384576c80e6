"""`python -m anxin` is the same as `anxin`."""

from anxin.cli import app

app()

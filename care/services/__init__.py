"""The verbs of care: each one transaction, each safe to repeat."""

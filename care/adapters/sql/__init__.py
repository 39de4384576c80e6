"""The care database: the only place where SQL is spoken."""

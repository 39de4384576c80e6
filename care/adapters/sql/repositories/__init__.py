"""One repository a family of nouns; each hides its SQL and its seals."""

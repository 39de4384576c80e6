"""The practice system's edge: a token-protected REST interface, described by OpenAPI."""

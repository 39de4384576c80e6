"""Password hashing with argon2id."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MEMORY_KIB = 19 * 1024  # OWASP password storage, argon2id: 19 MiB, 2 passes, 1 lane
PASSES = 2
LANES = 1


class Argon2Passwords:
    """Hashes and checks passwords; a login that does not exist costs as much as one that does."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)
        self._nobodys = self._hasher.hash("the password of nobody")

    def hash(self, password: str) -> str:
        """Return the salted hash that is stored."""
        return self._hasher.hash(password)

    def verify(self, stored: str | None, password: str) -> bool:
        """Whether this is the password; None does the same work and is always wrong."""
        try:
            right = self._hasher.verify(stored or self._nobodys, password)
        except (VerificationError, InvalidHashError):
            return False
        return right and stored is not None

    def outdated(self, stored: str) -> bool:
        """Whether the hash was made with other costs than today's and should be made anew."""
        return self._hasher.check_needs_rehash(stored)

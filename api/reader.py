"""Who reads over this interface, for the access log, and how much at once."""

from __future__ import annotations

from care.model.staff import Reader

PRACTICE = Reader("practice", "")
PAGE = 200  # entries of one answer

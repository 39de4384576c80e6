"""A stretch of time somebody spoke of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """A resolved time: aware, in the clinic's zone, `end` exclusive.

    `grain` is one of minute, hour, part, day, weekend, week, month, range, any. `alternatives` are other readings of
    an ambiguous expression.
    """

    text: str
    start: datetime
    end: datetime
    grain: str
    alternatives: tuple[TimeSpan, ...] = ()

    def as_json(self) -> dict[str, str]:
        """Return the span as JSON carries it."""
        return {
            "text": self.text,
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
            "grain": self.grain,
        }

"""The pain curve as SVG, drawn on the server from numbers alone. Colours and type come from the page's classes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

WIDTH, HEIGHT = 280, 104
LEFT, RIGHT, TOP, BOTTOM = 22, 10, 8, 20
WORST = 10  # of the pain scale
HIGH = 7  # from here on a report is marked; clinic protocol 2026-01
SHORTEST = 7  # days shown at least


def pain_curve(
    reports: Sequence[tuple[float, int]],
    usual: Callable[[float], float] | None,
    today: int,
    *,
    spread: float = 0.0,
) -> str:
    """Return the member's worst pain a day, over the usual course as a band.

    Args:
        reports: (day of recovery, worst pain 0-10), oldest first; days may be fractions.
        usual: the protocol's course, worst pain by day; None when there is none.
        today: the day of recovery it is now.
        spread: half the height of the band, in points of the scale; what lies above it the clinic's rules notice.

    Returns:
        One `<svg>` element without a style of its own.
    """
    last = max([float(SHORTEST), float(today), *(day for day, _ in reports)])

    def x(day: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * max(0.0, day) / last, 1)

    def y(score: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - min(max(score, 0.0), WORST) / WORST), 1)

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" class="curve" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">']
    parts.append(f"<title>{_in_words(reports)}</title>")
    for line_at in (0, 5, 10):
        parts.append(
            f'<line class="curve-grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(line_at)}" y2="{y(line_at)}"/>'
        )
        parts.append(
            f'<text class="curve-text" x="{LEFT - 6}" y="{y(line_at) + 3.5}" text-anchor="end">{line_at}</text>'
        )
    for mark in _marks(int(last)):
        parts.append(f'<text class="curve-text" x="{x(mark)}" y="{HEIGHT - 5}" text-anchor="middle">D{mark}</text>')
    if usual is not None:
        steps = [last * step / 28 for step in range(29)]
        above = [f"{x(day)},{y(usual(day) + spread)}" for day in steps]
        below = [f"{x(day)},{y(usual(day) - spread)}" for day in reversed(steps)]
        parts.append(f'<polygon class="curve-band" points="{" ".join(above + below)}"/>')
        line = " ".join(f"{x(day)},{y(usual(day))}" for day in steps)
        parts.append(f'<polyline class="curve-usual" points="{line}"/>')
    parts.append(f'<line class="curve-today" x1="{x(today)}" x2="{x(today)}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
    if len(reports) > 1:
        line = " ".join(f"{x(day)},{y(score)}" for day, score in reports)
        parts.append(f'<polyline class="curve-line" points="{line}"/>')
    for day, score in reports:
        kind = "curve-dot curve-high" if score >= HIGH else "curve-dot"
        parts.append(
            f'<circle class="{kind}" cx="{x(day)}" cy="{y(score)}" r="3.5"><title>{score} 分</title></circle>'
        )
    parts.append("</svg>")
    return "".join(parts)


def _marks(last: int) -> list[int]:
    step = next(step for step in (1, 2, 5, 7, 14, 30, 90, 400) if last / step <= 8)
    return list(range(0, last + 1, step))


def _in_words(reports: Sequence[tuple[float, int]]) -> str:
    if not reports:
        return "还没有疼痛记录"
    return "疼痛记录：" + "，".join(f"第 {int(day)} 天 {score} 分" for day, score in reports)

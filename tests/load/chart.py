"""Line charts as SVG: one picture, one or more panels below each other, one axis of seconds.

Plain text, so that a new run is a small change, and colours that suit a light and a dark page.
"""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_WIDTH: Final = 760
_HEIGHT: Final = 190
"""Of a panel, in the units of the picture, as all lengths here."""
_LEFT: Final = 56
_RIGHT: Final = 16
_TOP: Final = 36
_BOTTOM: Final = 30
_TICKS: Final = 4
_NICE: Final = (1, 2, 2.5, 5, 10)

_STYLE: Final = """\
text { font: 12px sans-serif; fill: #333 }
.title { font-weight: bold }
.page { fill: #fff }
.grid { stroke: #ddd }
.line { fill: none; stroke-width: 1.5; stroke-linejoin: round }
.s0 { stroke: #1f6fb4 } .s1 { stroke: #d9730d } .s2 { stroke: #b3261e }
text.s0 { fill: #1f6fb4; stroke: none } text.s1 { fill: #d9730d; stroke: none }
text.s2 { fill: #b3261e; stroke: none }
@media (prefers-color-scheme: dark) {
  text { fill: #ddd } .page { fill: #0d1117 } .grid { stroke: #333 }
}
"""


class Line(NamedTuple):
    """One line.

    Attributes:
        name: Empty if the title says it.
        values: One for each second from 0; None where there is none.
    """

    name: str
    values: Sequence[float | None]


class Panel(NamedTuple):
    """Lines that share an axis: up to three, which is how many colours there are."""

    title: str
    lines: Sequence[Line]


def picture(panels: Sequence[Panel]) -> str:
    """Draw an SVG document."""
    title = escape("; ".join(panel.title for panel in panels))
    height = _HEIGHT * len(panels)
    size = f'viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{title}">',
            f"<style>\n{_STYLE}</style>",
            f'<rect class="page" width="{_WIDTH}" height="{height}"/>',
            *(element for number, panel in enumerate(panels) for element in _group(number, panel)),
            "</svg>\n",
        ]
    )


def _group(number: int, panel: Panel) -> Iterator[str]:
    yield f'<g transform="translate(0 {number * _HEIGHT})">'
    yield from _panel(panel)
    yield "</g>"


def _panel(panel: Panel) -> Iterator[str]:
    seconds = max((len(line.values) for line in panel.lines), default=0)
    across = _Scale(_step(seconds - 1), seconds - 1, _LEFT, _WIDTH - _RIGHT)
    highest = max((value for line in panel.lines for value in line.values if value), default=0)
    step = _step(highest)
    upwards = _Scale(step, math.ceil(highest / step) * step, _HEIGHT - _BOTTOM, _TOP)
    yield f'<text class="title" x="{_LEFT}" y="20">{escape(panel.title)}</text>'
    for tick in upwards.ticks():
        y = upwards.place(tick)
        yield f'<path class="grid" d="M{_LEFT} {y:g}H{_WIDTH - _RIGHT}"/>'
        yield f'<text x="{_LEFT - 8}" y="{y + 4:g}" text-anchor="end">{tick:,g}</text>'
    for tick in across.ticks():
        x = across.place(tick)
        yield f'<text x="{x:g}" y="{_HEIGHT - 12}" text-anchor="middle">{tick:g} s</text>'
    for number, line in enumerate(panel.lines):
        x = _WIDTH - _RIGHT - 110 * (len(panel.lines) - 1 - number)
        if line.name:
            yield f'<text class="s{number}" x="{x}" y="20" text-anchor="end">{escape(line.name)}</text>'
        yield f'<path class="line s{number}" d="{_way(line.values, across, upwards)}"/>'


class _Scale(NamedTuple):
    """From values between 0 and ``highest`` to places between ``start`` and ``end``."""

    step: float
    highest: float
    start: float
    end: float

    def place(self, value: float) -> float:
        share = value / self.highest if self.highest > 0 else 0
        return round(self.start + (self.end - self.start) * share, 1)

    def ticks(self) -> list[float]:
        return [number * self.step for number in range(int(self.highest / self.step) + 1)]


def _step(highest: float) -> float:
    """The distance of ticks: a round number, that needs four of them at most, or five."""
    wanted = max(highest, 1) / _TICKS
    power = 10 ** math.floor(math.log10(wanted))
    return next(nice * power for nice in _NICE if nice * power >= wanted)


def _way(values: Sequence[float | None], across: _Scale, upwards: _Scale) -> str:
    """The ``d`` of a path; it is interrupted where there is no value."""
    pieces = []
    command = "M"
    for second, value in enumerate(values):
        if value is None:
            command = "M"
            continue
        pieces.append(f"{command}{across.place(second):g} {upwards.place(value):g}")
        command = "L"
    return "".join(pieces)

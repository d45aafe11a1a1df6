"""Axes, bars and lines as inline SVG: no script draws them, and no network is asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log10

from gateway.cli.backtest_wording import moment, short
from gateway.console.markup import Child, Markup, tag

WIDTH, HEIGHT = 720, 200
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 10, 24

_TICKS_ACROSS = 6
_LABEL_WIDTH = 30
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3_600, 86_400
_STEPS_S = (
    *(_MINUTE_S, 5 * _MINUTE_S, 15 * _MINUTE_S, 30 * _MINUTE_S),
    *(_HOUR_S, 2 * _HOUR_S, 6 * _HOUR_S, 12 * _HOUR_S),
    *(days * _DAY_S for days in (1, 2, 7, 14, 28, 91, 182, 365)),
)


def shape(name: str, *children: Child, **attributes: str | float) -> Markup:
    """An element of SVG; `stroke_width` is written as `stroke-width`."""
    written = {
        key if key == "cls" else key.replace("_", "-"): _number(value)
        for key, value in attributes.items()
    }
    return tag(name, *children, **written)


@dataclass(frozen=True, slots=True)
class Axes:
    """Time across, in seconds since the epoch; a count or a share upwards."""

    begins_s: float
    ends_s: float
    most: float
    height: int = HEIGHT
    left: int = LEFT
    width: int = WIDTH

    def drawing(self, *children: Child, title: str) -> Markup:
        whole = f"0 0 {self.width} {self.height}"
        return shape("svg", *children, viewBox=whole, role="img", **{"aria-label": title})

    def x(self, at_s: float) -> float:
        return self.left + (self.width - self.left - RIGHT) * (at_s - self.begins_s) / self.span_s

    def y(self, value: float) -> float:
        return self.height - BOTTOM - (self.height - TOP - BOTTOM) * value / max(self.top, 1)

    @property
    def span_s(self) -> float:
        return max(self.ends_s - self.begins_s, 1.0)

    @property
    def top(self) -> float:
        """The first round number that is enough."""
        return round_up(self.most)

    def bar(self, at_s: float, width_s: float, low: float, high: float, cls: str) -> Markup:
        """A hair of distance between two, as long as they are wide enough."""
        left, right = self.x(at_s), self.x(at_s + width_s)
        width = max(right - left - 0.4, 0.8)
        height = max(self.y(low) - self.y(high), 0.6)
        return shape("rect", x=left, y=self.y(high), width=width, height=height, cls=cls)

    def line(self, points: Sequence[tuple[float, float]], cls: str) -> Markup:
        written = " ".join(f"{_number(self.x(x))},{_number(self.y(y))}" for x, y in points)
        return shape("polyline", points=written, cls=f"line {cls}")

    def frame(self, unit: str = "") -> Markup:
        """Grid and labels of both directions."""
        return shape("g", *self.values(unit), *self.moments())

    def values(self, unit: str = "") -> list[Child]:
        parts: list[Child] = []
        for share in (0.0, 0.5, 1.0):
            value = self.top * share
            y = self.y(value)
            parts.append(shape("line", x1=self.left, x2=self.width - RIGHT, y1=y, y2=y, cls="grid"))
            label = short(value) + unit
            parts.append(shape("text", label, x=self.left - 6, y=y + 4, text_anchor="end"))
        return parts

    def moments(self) -> list[Child]:
        """Where a day or an hour begins."""
        wanted = self.span_s / _TICKS_ACROSS
        step_s = next((step for step in _STEPS_S if step >= wanted), _STEPS_S[-1])
        parts: list[Child] = []
        at_s = ceil(self.begins_s / step_s) * step_s
        bottom = self.height - BOTTOM
        while at_s <= self.ends_s:
            x = self.x(at_s)
            parts.append(shape("line", x1=x, x2=x, y1=TOP, y2=bottom, cls="grid"))
            label = moment(at_s, "%d %b" if at_s % _DAY_S == 0 else "%H:%M")
            anchor = "end" if x > self.width - _LABEL_WIDTH else "middle"
            parts.append(shape("text", label, x=x, y=bottom + 16, text_anchor=anchor))
            at_s += step_s
        return parts


def round_up(value: float) -> float:
    """To 1, 2 or 5 times a power of ten."""
    if value <= 1:
        return 1
    power = 10.0 ** int(log10(value))
    return next(power * step for step in (1, 2, 5, 10) if power * step >= value)


def _number(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.1f}".removesuffix(".0")

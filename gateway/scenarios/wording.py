"""Times and numbers in a story."""

from gateway.policy.quota import SECOND_US

_DAY_S = 86_400


def counted(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def offset(span_us: int) -> str:
    """`00:05:08`, and `1d 00:00:00` from a day on."""
    days, seconds = divmod(span_us // SECOND_US, _DAY_S)
    clock = f"{seconds // 3_600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{days}d {clock}" if days else clock


def span(span_us: int) -> str:
    """`2 days`, `90 minutes`, `1 hour 30 minutes` as the largest whole unit."""
    seconds = span_us // SECOND_US
    for size, word in ((_DAY_S, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size and not seconds % size:
            return counted(seconds // size, word)
    return counted(seconds, "second")

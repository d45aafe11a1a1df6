"""How a replay compares with what was decided live, for an operator."""

from rich.console import Console
from rich.text import Text

from gateway.cli import backtest_wording as words
from gateway.cli.reporting import counted
from gateway.replay.verification import Verification


def show_verification(of: Verification, to: Console) -> None:
    """Nothing where the traffic has no decisions."""
    if of.compared:
        style = "bold green" if of.exact else "bold red"
        to.print()
        to.print(Text(_verdict(of), style=style))
    for one in of.differences:
        to.print(
            Text(f"  {words.moment(one.at_us / 1e6, '%Y-%m-%d %H:%M:%S.%f')} ", style="dim"),
            Text(f"{one.account} {one.id}"),
            sep="",
        )
        for line in one.how:
            to.print(Text(f"    {line}"))
    if of.different > len(of.differences):
        to.print(f"  ... and {of.different - len(of.differences):,} more")
    for note in _notes(of):
        to.print(Text(note, style="yellow"))


def _verdict(of: Verification) -> str:
    decisions = counted(of.compared, "recorded decision")
    if of.exact:
        return f"{decisions} compared: all are decided again as they were"
    return (
        f"{of.different:,} of {decisions} differ. Each is told as recorded, then as replayed; what "
        "follows the first may be its consequence:"
    )


def _notes(of: Verification) -> list[str]:
    notes = []
    if of.by_others:
        notes.append(
            f"{counted(of.by_others, 'decision')} not compared: recorded under other policies than "
            "these"
        )
    if of.alone:
        notes.append(
            f"{counted(of.alone, 'decision')} taken over as recorded: the store was away, and the "
            "gauger decided alone"
        )
    if of.outages:
        notes.append(
            f"The store was away {counted(of.outages, 'time')}: what was counted afterwards is "
            "known only about"
        )
    if of.dropped:
        notes.append(f"{counted(of.dropped, 'line')} missing: the recorder had no room for them")
    if of.begun_in_use and of.different:
        notes.append(
            "The recording began over a store that may have counted before, and others may have "
            "counted in it, too: give the files of all gaugers, and expect the first window to "
            "differ"
        )
    return notes

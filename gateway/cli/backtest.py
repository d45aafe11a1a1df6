"""`gauger backtest`: what policies would have done to recorded traffic."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.options import setting
from gateway.errors import SettingsError


class Broken(StrEnum):
    """As `replay.traffic.OnBroken`, which --help need not import."""

    STOP = "stop"
    SKIP = "skip"


def backtest(
    ctx: typer.Context,
    traffic: Annotated[
        list[str],
        typer.Argument(
            metavar="TRAFFIC...",
            help="Files of traffic records (JSON Lines, also gzip), merged by time; - is standard "
            "input.",
        ),
    ],
    *,
    policies: Annotated[
        Path | None, setting("policies", "The policies to try: a directory, or one file.", "PATH")
    ] = None,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify",
            help="Of a recording (serve --record): decide again under the policies that stand in "
            "it, and compare each decision with the live one.",
        ),
    ] = False,
    against: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH", help="Other policies, to see account by account who fares otherwise."
        ),
    ] = None,
    decisions: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a decision record for every exchange."),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a report with plots; it needs no network."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object, for tools.")] = False,
    store: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="Where counters live: memory://, or redis://... under a name of their own.",
        ),
    ] = "memory://",
    on_broken: Annotated[
        Broken, typer.Option(help="A line that is no record ends the run, or is counted.")
    ] = Broken.STOP,
) -> None:
    """Try policies on recorded traffic.

    The code that decides is the live one; only the clock and the model API are simulated.
    A request that the policies allow is settled with the usage that was recorded.

    Example: gauger backtest --policies policies traffic.jsonl.gz

    Before an edit goes live: gauger backtest --policies new --against policies *.jsonl.gz

    As a page with plots: gauger backtest --policies policies --html report.html traffic.jsonl

    Is it decided as it was live: gauger backtest --verify recorded*.jsonl.gz

    From elsewhere: zstdcat traffic.zst | gauger backtest --policies policies --json -

    Exit codes: 0 it ran; 1 a policy or a line of traffic has problems, or --verify found a
    difference or nothing to compare; 2 a file, a store or the command line cannot be used.
    """
    # The engine and its libraries, of which --help needs nothing.
    from gateway.cli.backtest_run import Wanted, run_backtest  # noqa: PLC0415
    from gateway.replay.traffic import OnBroken  # noqa: PLC0415

    if verify and (against is not None or _by_flag(ctx, "policies")):
        raise SettingsError("--verify takes the policies of the recording: leave out all others.")
    if not verify and policies is None:
        raise SettingsError(
            "--policies: missing. Name the policies to try, or --verify a recording."
        )
    exact = run_backtest(
        Wanted(
            policies=None if verify else policies,
            against=against,
            traffic=tuple(traffic),
            decisions=decisions,
            json=json,
            html=html,
            store=store,
            on_broken=OnBroken(on_broken.value),
        )
    )
    if verify and not exact:
        raise typer.Exit(1)


def _by_flag(ctx: typer.Context, name: str) -> bool:
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"

"""`gauger simulate`: made-up traffic of honest populations and campaigns, to rehearse with."""

from pathlib import Path
from typing import Annotated

import typer


def simulate(
    order: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="What to simulate, as YAML; flags add to it."),
    ] = None,
    *,
    population: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[:ACCOUNTS]",
            help="Honest accounts: chat:2000, or all:0.1 for a tenth of every population.",
        ),
    ] = None,
    campaign: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[:HOW]",
            help="What is against them: fleet, or fleet:rubric,accounts=40,cover=0.9.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Where to: .gz is compressed, - is standard output.",
        ),
    ] = None,
    days: Annotated[
        float | None, typer.Option(min=0.001, max=366, metavar="N", help="How long. Default: 14.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(metavar="N", help="Another number, other traffic. Default: 0.")
    ] = None,
    corpora: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="JSON Lines files with texts (prompt, turns, msgs, history). Default: a small "
            "grammar of our own.",
        ),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[:SHARE]",
            help="Leave an attribute out for a share of accounts: payment:0.5, or all.",
        ),
    ] = None,
    launch_day: Annotated[
        float | None,
        typer.Option(
            metavar="N", help="From this day 30 % of the honest accounts ask a new model."
        ),
    ] = None,
    names: Annotated[
        bool, typer.Option("--list", help="Show populations, campaigns and what can be set.")
    ] = False,
) -> None:
    """Make up traffic: honest accounts, and campaigns against them.

    Writes traffic records, as gauger backtest reads them, with the truth in "label". The same
    seed gives the same traffic. Accounts, addresses and cards are invented.

    Example: gauger simulate --population chat:500 --campaign card -o traffic.jsonl.gz

    A rehearsal: gauger simulate --population all --campaign fleet:cover=0.9 -o traffic.jsonl.gz

    Then: gauger backtest --policies policies traffic.jsonl.gz
    """
    # pydantic and the dialects, of which --help needs nothing.
    from gateway.cli.simulate_run import Wanted, list_names, run_simulation  # noqa: PLC0415

    if names:
        list_names()
        return
    run_simulation(
        Wanted(
            order=order,
            populations=tuple(population or ()),
            campaigns=tuple(campaign or ()),
            output=output,
            days=days,
            seed=seed,
            corpora=corpora,
            without=tuple(without or ()),
            launch_day=launch_day,
        )
    )

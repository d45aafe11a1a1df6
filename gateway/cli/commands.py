"""All commands together, and what happens to an error that is the operator's to mend."""

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from gateway.cli.account import account
from gateway.cli.backtest import backtest
from gateway.cli.check import check
from gateway.cli.demo import demo
from gateway.cli.fleets import fleets
from gateway.cli.init import init
from gateway.cli.reporting import report
from gateway.cli.schema import schema
from gateway.cli.serve import serve
from gateway.cli.simulate import simulate
from gateway.cli.test import scenarios
from gateway.cli.version import show, version
from gateway.errors import OperatorError

EXIT_CODES = (
    "Exit codes: 0 all is well; 1 a file of policies, accounts or settings has problems, each told "
    "with its line; 2 the command line or the value of a setting cannot be used."
)


class Commands(TyperGroup):
    """In the order in which one meets them, with errors on one screen and no traceback."""

    def list_commands(self, _ctx: Any) -> list[str]:  # noqa: ANN401  # typer's context has no public class here
        return list(self.commands)

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401  # as above
        try:
            return super().invoke(ctx)
        except OperatorError as error:
            raise typer.Exit(report(error)) from None


app = typer.Typer(
    name="gauger",
    cls=Commands,
    help="A rate-limiting and abuse-prevention gateway for model APIs.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain help fits a screen, and is there in half the time
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def options(
    *,
    version: Annotated[  # its callback ends the command
        bool,
        typer.Option("--version", is_eager=True, callback=show, help="Print the version."),
    ] = False,
) -> None:
    """No command, only what concerns all of them."""


app.command()(demo)
app.command()(serve)
app.command()(init)
app.command()(check)
app.command("test")(scenarios)
app.command()(backtest)
app.command()(simulate)
app.add_typer(account, name="account")
app.add_typer(fleets, name="fleets")
app.command()(schema)
app.command()(version)


def main() -> None:
    """Ctrl-C ends a command as quietly as it was meant."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)  # 128 + SIGINT, as shells count

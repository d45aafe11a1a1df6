"""`gauger demo`: the main job, with nothing but this package."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.errors import SettingsError
from gateway.settings import Address
from gateway.settings.written import SETTINGS


def demo(
    *,
    seconds: Annotated[
        float | None,
        typer.Option(min=1, metavar="N", help="Stop after so long. Without it: at Ctrl-C."),
    ] = None,
    policies: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Your own policies, to see them work.")
    ] = None,
    listen: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="The gateway.", show_default="8080, or a free port"),
    ] = None,
    admin: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Status page.", show_default="9090, or a free port"),
    ] = None,
) -> None:
    """See it work: a mock model API, the gateway, some clients.

    Prints what was decided about each request, and why. Needs no Redis, no Docker and no key.

    Example: gauger demo --seconds 30
    """
    # The whole gateway, of which --help needs nothing.
    from gateway.cli.log_lines import log_to_stderr  # noqa: PLC0415
    from gateway.cli.reporting import console  # noqa: PLC0415
    from gateway.demo.run import POLICIES, Demo, run_demo  # noqa: PLC0415

    log_to_stderr(terminal=True, quiet=True)
    chosen = Demo(
        policies=POLICIES if policies is None else policies,
        seconds=seconds,
        listen=_address("listen", listen),
        admin=_address("admin", admin),
    )
    run_demo(chosen, console(stderr=False))


def _address(name: str, text: str | None) -> Address | None:
    if text is None:
        return None
    try:
        value = SETTINGS[name].read(text)
    except SettingsError as error:
        raise SettingsError(f"--{name}: {error}") from None
    return value if isinstance(value, Address) else None

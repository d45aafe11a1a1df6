"""Runs the gateway and tells where it is: a line of standard output for each port, for scripts."""

import sys

from gateway.cli.log_lines import log_to_stderr
from gateway.cli.reporting import warn
from gateway.proxy.server import run
from gateway.settings import Settings
from gateway.wiring import RunningGateway, run_gateway


def serve_until_stopped(settings: Settings) -> None:
    log_to_stderr(terminal=sys.stderr.isatty())
    if settings.secret_is_random:
        warn(
            "no secret is set, so the names of accounts change with each start. "
            "Set GAUGER_SECRET to keep them."
        )
    run(run_gateway(settings, on_started=_announce))


def _announce(running: RunningGateway) -> None:
    lines = [f"gauger listening on {running.door.url}"]
    if running.admin is not None:
        lines.append(f"admin on {running.admin.url}")
    if running.probes is not None:
        lines.append(f"probes on {running.probes.url}")
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()

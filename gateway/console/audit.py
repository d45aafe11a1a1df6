"""The audit log: one line of JSON for each deed of an operator's, and for each token refused.

To the logger `gateway.audit` at INFO, and to a file if there is one. A line says when, who (the
peer's address and a fingerprint of the token that was shown), what, on whom, why, and what came of
it. It holds no token, no key and nothing of an exchange.
"""

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from gateway.errors import SettingsError
from gateway.policy.quota import SECOND_US
from gateway.reload import Outcome, Reloaded

AUDIT: Final = "gateway.audit"
DONE: Final = "done"

_log = logging.getLogger(AUDIT)
_own_log = logging.getLogger(__name__)

_FOR_THE_OWNER = 0o600


@dataclass(frozen=True, slots=True)
class Operator:
    """Who asks, as far as that is known."""

    address: str
    token: str | None = None
    """The fingerprint of the admin token that was shown; None where none is asked for."""


@dataclass(frozen=True, slots=True)
class AuditLog:
    clock: Callable[[], int]
    """The wall clock in microseconds."""
    file: Path | None = None

    def demand_file(self) -> None:
        """Raises `SettingsError` if the file cannot be written."""
        try:
            self._append(b"")
        except OSError as error:
            raise SettingsError(
                f"--audit-log: {self.file} cannot be written: {error.strerror}. Give a file that "
                "may be made or lengthened."
            ) from error

    def write(
        self, who: Operator, what: str, how: Mapping[str, object], *, result: str = DONE
    ) -> dict[str, Any]:
        """The line, as it was written.

        A deed that is done is not undone because its line cannot be written to the file: that is
        told as an error, and the line is in the log.
        """
        told = {
            "at": datetime.fromtimestamp(self.clock() / SECOND_US, UTC).isoformat(
                timespec="seconds"
            ),
            "who": who.address,
            "token": who.token,
            "what": what,
            "result": result,
            **how,
        }
        line = msgspec.json.encode(told)
        _log.info("%s", line.decode())
        try:
            self._append(line + b"\n")
        except OSError as error:
            _own_log.error(
                "The audit log %s cannot be written (%s): this line is in the log alone.",
                self.file,
                error.strerror,
            )
        return told

    def reloaded(self, who: Operator, reloaded: Sequence[Reloaded]) -> None:
        refused = any(one.outcome is Outcome.REFUSED for one in reloaded)
        outcomes = {one.what: one.outcome for one in reloaded}
        self.write(who, "reload", outcomes, result="refused" if refused else DONE)

    def _append(self, line: bytes) -> None:
        """Opened for each line, so that it can be moved away at any time; whole lines only."""
        if self.file is None:
            return
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        opened = os.open(self.file, flags, _FOR_THE_OWNER)
        try:
            os.write(opened, line)
        finally:
            os.close(opened)

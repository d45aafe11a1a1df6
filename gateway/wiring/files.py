"""What operators write and may change while traffic flows: where it is read, who is told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.admission import Rules
from gateway.assessment import Assessment
from gateway.errors import SettingsError
from gateway.facts.accounts import Accounts, parse_accounts
from gateway.identity.identities import Identities
from gateway.identity.key_sources import KeySources, make_identities
from gateway.identity.rules import IdentityRules, parse_identities, read_with_named
from gateway.policy.parse import load
from gateway.policy.quota import Policies
from gateway.policy_directory import read_text, read_texts
from gateway.proxy.identify import Identifier
from gateway.recording import Recording
from gateway.reload import Reloader, Written
from gateway.telemetry import Telemetry
from gateway.wiring.clock import wall_clock_us


def policies_at(path: Path) -> Written[Policies]:
    """Raises `OperatorError`."""
    return Written("policies", path, read=read_texts, parse=load, clock=wall_clock_us)


def accounts_at(path: Path, secret_fingerprint: str) -> Written[Accounts]:
    """Raises `OperatorError`."""

    def read(path: Path) -> dict[str, str]:
        return {path.as_posix(): read_text(path)}

    def parse(texts: Mapping[str, str]) -> Accounts:
        ((name, text),) = texts.items()
        return parse_accounts(text, name, secret_fingerprint)

    return Written("accounts", path, read=read, parse=parse, clock=wall_clock_us)


def identities_at(path: Path, *, upstream_key: bool) -> Written[IdentityRules]:
    """With the files that it names. Raises `OperatorError`.

    `upstream_key`: the model API is asked with a key of the operator's.
    """

    def read(path: Path) -> dict[str, str]:
        return read_with_named(path.as_posix(), lambda name: read_text(Path(name)))

    def parse(texts: Mapping[str, str]) -> IdentityRules:
        rules = parse_identities(texts, path.as_posix())
        if rules.issuers and not upstream_key:
            raise SettingsError(
                f"{path.as_posix()}: who comes with a token (jwt) has no key for the model API, "
                "and the token itself is never passed on. Give gauger a key for it: "
                "--upstream-key-env. If the model API takes none, any word will do."
            )
        return rules

    return Written("identities", path, read=read, parse=parse, clock=wall_clock_us)


@dataclass(frozen=True, slots=True)
class Callers:
    """All that operators write about who may call."""

    accounts: Written[Accounts] | None
    identities: Written[IdentityRules] | None
    key_sources: KeySources

    def known(self) -> Identities:
        """As it is written now; to be called in the event loop."""
        return make_identities(
            None if self.identities is None else self.identities.value,
            None if self.accounts is None else self.accounts.value,
            self.key_sources,
        )


def reloader_of(
    policies: Written[Policies],
    rules: Rules,
    callers: Callers,
    identifier: Identifier,
    telemetry: Telemetry,
    *,
    others: Sequence[Written[Any]] = (),
    recording: Recording | None = None,
    assessment: Assessment | None = None,
) -> Reloader:
    """Says what is done with a new version, and tells of what is in force.

    `others` have said so themselves.
    """

    def policies_in_force(sound: Policies) -> None:
        rules.put_in_force(sound)
        if assessment is not None:
            assessment.put_in_force(sound.behaviours)
        telemetry.policies_in_force(sound.digest)
        if recording is not None:
            recording.policies_in_force(sound.digest, policies.texts)

    def callers_in_force(_: object) -> None:
        identifier.put_in_force(callers.known())

    written: list[Written[Any]] = [policies]
    policies.whenever_replaced(policies_in_force)
    policies_in_force(policies.value)
    for one in (callers.accounts, callers.identities):
        if one is not None:
            one.whenever_replaced(callers_in_force)
            written.append(one)
    written += others
    for one in written:
        telemetry.metrics.can_be_reloaded(one.what)
    return Reloader(written, telemetry.metrics.reload_failed)

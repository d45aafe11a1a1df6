"""Decision records: one for every exchange, in the order of the traffic, as JSON Lines.

`response` and `score` are those of behaviour policies: the highest rung in force for the exchange.
"""

from typing import IO

import msgspec

from gateway.replay.judged import Judged
from gateway.replay.tally import spoken_against

ALLOW, REFUSE = "allow", "refuse"


class DecisionRecord(msgspec.Struct, frozen=True):
    at: float
    account: str
    decision: str
    status: int
    response: str
    score: float
    reasons: tuple[str, ...]
    """Ids of the policies that spoke against it, also of those in shadow mode; or what is wrong
    with a request that never reached a policy (`malformed`, `unknown_route`)."""


class LabelledRecord(DecisionRecord, frozen=True):
    label: str


_encode = msgspec.json.Encoder().encode


def decision_record(judged: Judged) -> DecisionRecord:
    record, decision, refusal = judged.record, judged.decision, judged.refusal
    if decision is not None:
        spoke = spoken_against(decision) if decision.reasons else ()
        reasons = tuple(dict.fromkeys(reason.policy_id for reason in spoke))
    else:
        reasons = (str(refusal.kind),) if refusal is not None else ()
    verdict = ALLOW if refusal is None else REFUSE
    standing = judged.standing
    score = round(standing.score, 1)
    known = (
        record.at,
        record.account,
        verdict,
        judged.status,
        standing.response.word,
        score,
        reasons,
    )
    return DecisionRecord(*known) if record.label is None else LabelledRecord(*known, record.label)


class DecisionWriter:
    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, judged: Judged) -> None:
        self._file.write(_encode(decision_record(judged)) + b"\n")

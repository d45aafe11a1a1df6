"""Findings go on the board: who is held to what, by which rule, and since when."""

from gateway.behaviour.board import Board, Case
from gateway.behaviour.membership import Membership
from gateway.behaviour.pool import likeness
from gateway.behaviour.record import Finding, Recorder
from gateway.behaviour.score import Evidence, rung_of, weigh
from gateway.behaviour.sighting import Sighting
from gateway.policy.behaviour import DAY_US, Behaviours, Response, Rung
from gateway.policy.quota import Mode

RENEWED_US = 60 * 1_000_000
"""Evidence that is only renewed counts as a change of the board once in this time."""


class Verdicts:
    """Writes one board. Not for two threads."""

    def __init__(self, behaviours: Behaviours, recorder: Recorder, board: Board) -> None:
        self._score = behaviours.score
        self._ladder = behaviours.ladder
        self._blocked_share = behaviours.guardrails.blocked_share
        self._block = next((step for step in self._ladder if step.do is Rung.BLOCK), None)
        self._recorder = recorder
        self._membership = Membership(behaviours, recorder, board)
        self.board = board
        self.held_back = 0
        """Blocks that the guardrail turned into throttling. Somebody should look."""

    def take(self, seen: Sighting) -> list[Finding]:
        """Record one exchange, and do what follows. Returns what was found."""
        if seen.answered:
            self._recorder.answered(seen)
            return []
        board = self.board
        findings = self._recorder.record(seen, suspected=seen.account in board.cases)
        for finding in findings:
            if finding.holds and finding.rule.shared:
                self._about_group(finding)
            elif finding.holds:
                self._about_account(finding.key, _evidence(finding), finding.at_us)
        if board.groups:
            for evidence in self._membership.of(seen):
                self._about_account(seen.account, evidence, seen.at_us)
        return findings

    def _about_group(self, finding: Finding) -> None:
        rule, key, group = finding.rule, finding.key, finding.group
        flagged = self.board.flag(key, rule.group, finding.at_us)
        before = flagged.evidence.get(rule.id)
        evidence = flagged.evidence[rule.id] = _evidence(finding, before)
        if group is not None:
            flagged.members = group.members.number(len(group.members))
            flagged.exchanges = group.total
            if group.cohort is not None and rule.points > 0:
                flagged.likeness = likeness(group.cohort, self._recorder.population.usual)
        enforced = [one for one in flagged.evidence.values() if one.mode is Mode.ENFORCE]
        weighed = weigh(enforced, finding.at_us, self._score)
        held = rung_of(weighed, self._ladder, self._score, flagged.held)
        if held != flagged.held or _is_news(before, finding.at_us):
            self.board.changed_group(key)
        flagged.held = held
        if before is None:
            self._recorder.fleets = self.board.likenesses()
            if group is not None:
                for account in self._membership.founders(rule, key, group):
                    self._about_account(account, evidence, finding.at_us)

    def _about_account(self, account: int, evidence: Evidence, at_us: int) -> None:
        case = self.board.case(account)
        place = evidence.rule, evidence.group
        before = case.evidence.get(place)
        case.evidence[place] = evidence
        if _is_news(before, at_us):
            self.board.changed_case(account)
        enforced = [one for one in case.evidence.values() if one.mode is Mode.ENFORCE]
        weighed = weigh(enforced, at_us, self._score)
        rung = rung_of(weighed, self._ladder, self._score, case.held)
        block = self._block
        if rung is Rung.BLOCK and block is not None and block.mode is Mode.ENFORCE:
            rung = self._blocked(case, block, at_us)
        if rung != case.held:
            case.held = rung
            self.board.changed_case(account)

    def _blocked(self, case: Case, block: Response, at_us: int) -> Rung:
        """A block has an end, and the next one is longer. Beyond the guardrail it throttles."""
        if at_us < case.until_us:
            return Rung.BLOCK
        board, day = self.board, at_us // DAY_US
        most = max(1, int(self._recorder.population.active * self._blocked_share))
        if board.blocked_on.get(day, 0) >= most:
            self.held_back += 1
            return Rung.THROTTLE
        board.blocked_on = {day: board.blocked_on.get(day, 0) + 1}
        case.until_us = at_us + block.block_us[min(case.blocks, len(block.block_us) - 1)]
        case.blocks += 1
        return Rung.BLOCK


def _evidence(finding: Finding, before: Evidence | None = None) -> Evidence:
    rule = finding.rule
    return Evidence(
        rule=rule.id,
        why=rule.why,
        points=rule.points,
        at_us=finding.at_us,
        since_us=finding.at_us if before is None else before.since_us,
        measured=finding.measured,
        group=finding.key if rule.shared else None,
        mode=rule.mode,
    )


def _is_news(before: Evidence | None, at_us: int) -> bool:
    return before is None or at_us - before.at_us > RENEWED_US

"""Where the states of accounts and groups stand, bounded: the ones unused for longest go first.

A flood of made-up frames or keys pushes out what nobody uses, and nothing grows beyond its cap.
"""

from collections import OrderedDict
from dataclasses import dataclass

from gateway.behaviour.layout import Kind
from gateway.behaviour.states import AccountState, GroupState, Lone


@dataclass(frozen=True, slots=True)
class Caps:
    accounts: int = 200_000
    groups: int = 100_000
    """Of two accounts or more."""
    lone: int = 400_000
    """Of one account."""


class Shelf:
    def __init__(self, caps: Caps | None = None) -> None:
        self._caps = caps or Caps()
        self.accounts: OrderedDict[int, AccountState] = OrderedDict()
        self.groups: OrderedDict[int, GroupState] = OrderedDict()
        self.lone: OrderedDict[int, Lone] = OrderedDict()
        self.dropped = 0
        """States that went because there were too many."""

    def account(self, account: int, at_us: int) -> AccountState:
        state = self.accounts.get(account)
        if state is None:
            state = self.accounts[account] = AccountState(at_us)
            if len(self.accounts) > self._caps.accounts:
                self.accounts.popitem(last=False)
                self.dropped += 1
        else:
            self.accounts.move_to_end(account)
        return state

    def group(self, key: int, kind: Kind, account: int, at_us: int) -> GroupState | None:
        """None as long as it is known of this account alone."""
        state = self.groups.get(key)
        if state is not None:
            self.groups.move_to_end(key)
            if at_us - state.last_us <= kind.window_us:
                return state
            del self.groups[key]
        lone = self.lone.get(key)
        if lone is None or at_us - lone.last_us > kind.window_us:
            lone = self.lone[key] = Lone(account, at_us)
            if len(self.lone) > self._caps.lone:
                self.lone.popitem(last=False)
                self.dropped += 1
        if lone.account == account:
            lone.last_us = at_us
            lone.requests += 1
            return None
        del self.lone[key]
        state = self.groups[key] = GroupState(kind, lone.first_us)
        state.members.see(lone.account, lone.last_us, 0, (0,) * len(kind.columns))
        state.members.kept[lone.account].requests = lone.requests
        state.total = lone.requests
        if len(self.groups) > self._caps.groups:
            self.groups.popitem(last=False)
            self.dropped += 1
        return state

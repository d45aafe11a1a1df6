"""Answers that need not be worked out again: the last ones, and no more than so many.

A caller chooses some of the keys (the name of the model), so the memory has a bound.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

REMEMBERED = 4_096


class Remembered(Generic[K, V]):
    def __init__(self, work_out: Callable[[K], V], most: int = REMEMBERED) -> None:
        self._work_out = work_out
        self._most = most
        self._answers: OrderedDict[K, V] = OrderedDict()

    def __len__(self) -> int:
        return len(self._answers)

    def __call__(self, key: K) -> V:
        answers = self._answers
        try:
            answer = answers[key]
        except KeyError:
            answer = answers[key] = self._work_out(key)
            if len(answers) > self._most:
                answers.popitem(last=False)
            return answer
        answers.move_to_end(key)
        return answer

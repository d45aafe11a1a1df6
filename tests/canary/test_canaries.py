"""The search finds what is planted: a canary test that cannot fail would be worth nothing."""

import base64

import pytest

from tests.canary.canaries import PIECE, Canaries

CANARIES = Canaries()
PROMPT = CANARIES["prompt"]
PLANTED = {
    "whole": f"prompt={PROMPT} done",
    "a piece of the middle": "..." + PROMPT[20 : 20 + PIECE] + "...",
    "its first piece": PROMPT[:PIECE],
    "its last piece": PROMPT[-PIECE:],
    "in small letters": PROMPT.lower(),
    "in hexadecimal": PROMPT.encode().hex(),
    "as a repr of bytes": repr(PROMPT.encode()),
    "percent-encoded": "".join(f"%{byte:02x}" for byte in PROMPT.encode()),
    **{
        f"in base64 after {before!r}": base64.b64encode((before + PROMPT + "z").encode()).decode()
        for before in ("", "a", "ab", "user:", "Bearer ")
    },
}


@pytest.mark.parametrize("case", PLANTED)
def test_what_is_planted_is_found_and_not_repeated(case: str) -> None:
    (first, *_) = CANARIES.leaks({"log": PLANTED[case], "metrics": "nothing"})
    assert (first.place, first.what) == ("log", "prompt")
    assert PROMPT not in repr(first)


OTHERS = {
    "nothing": "",
    "words": "gauger listening",
    "less than a piece": PROMPT[: PIECE - 1],
    "another secret": Canaries()["other"],
}


@pytest.mark.parametrize("case", OTHERS)
def test_what_is_none_of_ours_is_not_found(case: str) -> None:
    assert CANARIES.leaks({"log": OTHERS[case]}) == []

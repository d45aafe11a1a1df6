"""A bug, written down without what it was handling.

The message of a foreign exception may quote its argument, and that may be a prompt or a key. So
only types and places are told.
"""

import traceback


def described(error: BaseException) -> str:
    """`KeyError at relay.py:31 in send < passage.py:80 in run`, then the same of its cause."""
    told: list[str] = []
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        frames = traceback.extract_tb(link.__traceback__)
        places = " < ".join(
            f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} in {frame.name}"
            for frame in reversed(frames)
        )
        told.append(f"{type(link).__qualname__} at {places}" if places else type(link).__qualname__)
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return "; caused by ".join(told)

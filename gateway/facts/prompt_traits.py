"""What of a prompt outlives its reading: keyed fingerprints, and the lists that it matched."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.values import made_often


@made_often
@dataclass(frozen=True, slots=True)
class Sketch:
    """What a prompt is about: a vector of length 1, as the places where it is not 0.

    The cosine of two of them tells how alike two prompts are.
    """

    places: tuple[int, ...] = ()
    values: tuple[float, ...] = ()


NO_SKETCH = Sketch()


@made_often
@dataclass(frozen=True, slots=True)
class Rest:
    """What is not needed before a request is sent on."""

    text: str = ""
    """Of the whole of it: two prompts that say the same have the same."""
    beginning: str = ""
    """Of the first six words."""
    end: str = ""
    words: int = 0
    sketch: Sketch = NO_SKETCH
    lists: tuple[str, ...] = ()


_NOTHING = Rest()


class PromptTraits:
    """None of it can be turned back into text. Its repr tells nothing.

    Until `rest` was asked for, the text that it is made from is held by `later`, and by nothing
    else.
    """

    __slots__ = ("_later", "_rest", "frames", "single", "system", "system_words", "toolset")

    def __init__(
        self,
        *,
        frames: tuple[str, ...] = (),
        system: str | None = None,
        system_words: int = 0,
        toolset: str | None = None,
        single: bool = False,
        later: Callable[[], Rest] | None = None,
        rest: Rest = _NOTHING,
    ) -> None:
        self.frames = frames
        """Of the template around the variable part, the surest first; none if there is no text."""
        self.system = system
        self.system_words = system_words
        self.toolset = toolset
        self.single = single
        """One turn of the user's, no tools, nothing that a tool gave back."""
        self._later = later
        self._rest = rest

    @property
    def rest(self) -> Rest:
        """Worked out when it is asked for first; the text is forgotten then."""
        later = self._later  # another thread may ask, too: the same comes of it
        if later is not None:
            self._rest = later()
            self._later = None
        return self._rest

    @property
    def frame(self) -> str | None:
        return self.frames[0] if self.frames else None

    @property
    def lists(self) -> tuple[str, ...]:
        """Ids of the lists of which a phrase stands in the prompt."""
        return self.rest.lists

    @property
    def text(self) -> str | None:
        return self.rest.text or None

    @property
    def beginning(self) -> str | None:
        return self.rest.beginning or None

    @property
    def words(self) -> int:
        return self.rest.words


NO_TRAITS = PromptTraits()

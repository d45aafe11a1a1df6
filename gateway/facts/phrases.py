"""Which lists of phrases a prompt matches: all phrases of all lists in one pass of RE2.

RE2 takes time in proportion to the text, whatever the pattern is, so no list can be used to stall
the gateway. A phrase is searched in the text as `facts.plain_words` gives it.
"""

import unicodedata
from collections.abc import Mapping, Sequence

import re2


class PhraseLists:
    def __init__(self, lists: Mapping[str, Sequence[str]]) -> None:
        """Phrases by the ids of lists; they are sound (`policy.phrase_lists`)."""
        options = re2.Options()
        options.case_sensitive = False
        options.log_errors = False
        self._set = re2.Set.SearchSet(options)
        self._owner: list[str] = []
        for name, phrases in lists.items():
            for phrase in phrases:
                self._set.Add(unicodedata.normalize("NFKC", phrase))
                self._owner.append(name)
        if self._owner:
            self._set.Compile()

    def matched(self, *plain_texts: str) -> tuple[str, ...]:
        """Ids of the lists of which a phrase stands in one of the texts."""
        if not self._owner:
            return ()
        found: set[str] = set()
        for text in plain_texts:
            if text:
                found.update(self._owner[at] for at in self._set.Match(_encodable(text)) or ())
        return tuple(sorted(found))


def _encodable(text: str) -> str:
    """Half a character is no text for RE2."""
    return text.encode(errors="replace").decode() if not text.isascii() else text

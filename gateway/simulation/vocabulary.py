"""The words of the built-in grammar and of campaigns' frames, from the files beside."""

from importlib.resources import files

import msgspec
from msgspec import Struct


class Abroad(Struct, frozen=True):
    """Of a language that is not English."""

    openers: list[str]
    followers: list[str]
    nouns: list[str]


class Vocabulary(Struct, frozen=True):
    topics: dict[str, list[str]]
    """Nouns, by what they are about."""
    openers: list[str]
    followers: list[str]
    people: list[str]
    days: list[str]
    sides: list[str]
    abroad: dict[str, Abroad]
    code_things: list[str]
    code_jobs: list[str]
    languages: list[str]
    names: list[str]
    goods: list[str]
    riddles: list[str]
    tasks: list[str]
    pipeline_heads: list[str]
    pipeline_tails: list[str]
    tools: list[str]


class Parts(Struct, frozen=True):
    """A frame has one of each."""

    openings: list[str]
    middles: list[str]
    closings: list[str]


class FrameParts(Struct, frozen=True):
    english: dict[str, Parts]
    """By kind."""
    abroad: dict[str, Parts]
    """By language: all of them ask for the reasoning behind a given answer."""


def _read(name: str) -> bytes:
    return files("gateway.simulation").joinpath(name).read_bytes()


WORDS = msgspec.yaml.decode(_read("vocabulary.yaml"), type=Vocabulary)
FRAMES = msgspec.yaml.decode(_read("frames.yaml"), type=FrameParts)
NOUNS = tuple(noun for nouns in WORDS.topics.values() for noun in nouns)

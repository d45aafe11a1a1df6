"""A list of models, or one of them: nothing is asked of a model."""

import pytest

from gateway.facts.dialects.openai_models import MODEL, MODELS, OpenAIModels
from gateway.facts.dialects.port import Answered
from gateway.facts.exchange import Ask, Route
from tests.facts.dialects.answers import recorded

OPENAI = OpenAIModels()


@pytest.mark.parametrize(("route", "model"), [(MODELS, None), (MODEL, "ft:m:org")])
def test_the_path_names_the_model_or_none(route: Route, model: str | None) -> None:
    assert OPENAI.read_ask(route, {}, 0, model) == Ask(model=model)
    assert OPENAI.amend(route, {}, Ask(model=model)) is None


def test_an_answer_is_read_as_far_as_it_matters() -> None:
    assert OPENAI.read_answer(MODELS, 200, recorded("models.json")) == Answered(complete=True)
    error = b'{"error":{"message":"no such model"}}'
    assert OPENAI.read_answer(MODEL, 404, error) == Answered(complete=True, failed=True)

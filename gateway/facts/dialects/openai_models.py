"""OpenAI's list of models, and one of them: nothing is metered but the request."""

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.facts.dialects.openai_family import OpenAIFormat
from gateway.facts.exchange import Ask, Route, RouteName

MODELS = Route(RouteName.MODELS, "GET", "/v1/models", generates=False)
MODEL = Route(RouteName.MODELS, "GET", "/v1/models/{model}", generates=False)


class OpenAIModels(OpenAIFormat):
    routes: Sequence[Route] = (MODELS, MODEL)

    def read_ask(
        self,
        route: Route,  # noqa: ARG002  both alike
        body: Mapping[str, Any],  # noqa: ARG002  there is none
        body_bytes: int,  # noqa: ARG002  there are none
        path_model: str | None = None,
    ) -> Ask:
        return Ask(model=path_model)

"""Parts of replay's tests."""

import pytest

from gateway.admission import Permit
from gateway.decision.judge import judge
from gateway.decision.plan import Plan
from tests.parts.values import ESTIMATE, facts


@pytest.fixture
def permit() -> Permit:
    return Permit(judge(Plan((), ESTIMATE, "digest"), None, {}), facts(), None)

import pytest

from gateway.facts.client_sdk import SDKS, sdk


@pytest.mark.parametrize(
    ("user_agent", "says"),
    [
        ("OpenAI/Python 3.3.0", "openai"),
        ("AsyncOpenAI/Python 3.3.0", "openai"),
        ("OpenAI/JS 6.1.0", "openai"),
        ("AsyncAnthropic/Python 2.12.0", "anthropic"),
        ("google-genai-sdk/3.4.0 gl-python/3.11.7", "google-genai"),
        ("litellm/1.90 OpenAI/Python 3.3.0", "litellm"),
        ("langchain-openai/1.2 OpenAI/Python 3.3.0", "langchain"),
        ("python-httpx/0.28.1", "httpx"),
        ("python-requests/2.32", "requests"),
        ("Python/3.11 aiohttp/3.12", "aiohttp"),
        ("curl/8.14.1", "curl"),
        ("node", "node"),
        ("undici", "node"),
        ("Go-http-client/2.0", "go"),
        ("okhttp/5.1", "java"),
        ("Mozilla/5.0 (X11; Linux x86_64)", "browser"),
        ("our-own-thing/1", "other"),
        ("", "none"),
        (None, "none"),
    ],
)
def test_a_client_is_known_by_what_it_says(user_agent: str | None, says: str) -> None:
    assert sdk(user_agent) == says
    assert says in SDKS


def test_only_the_beginning_of_a_long_header_is_read() -> None:
    assert sdk("x" * 300 + "curl/8") == "other"

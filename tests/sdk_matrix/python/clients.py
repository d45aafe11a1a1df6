"""The Python clients of the matrix, and which of them are here."""

import importlib.metadata

CLIENTS = {
    "openai": ("openai_client", "openai"),
    "anthropic": ("anthropic_client", "anthropic"),
    "google-genai": ("genai_client", "google-genai"),
    "google-genai with retry_options": ("genai_client", "google-genai"),
    "langchain-openai": ("langchain_clients", "langchain-openai"),
    "langchain-anthropic": ("langchain_clients", "langchain-anthropic"),
    "litellm openai/": ("litellm_clients", "litellm"),
    "litellm openai/ with num_retries=2": ("litellm_clients", "litellm"),
    "litellm anthropic/": ("litellm_clients", "litellm"),
    "litellm gemini/": ("litellm_clients", "litellm"),
}
"""Each with its module here, and the package whose version counts."""


def installed() -> dict[str, str]:
    versions = {}
    for client, (_, package) in CLIENTS.items():
        try:
            versions[client] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions

"""`gauger serve`: the gateway, until it is told to stop."""

# ruff: noqa: ARG001  typer wants the options as parameters; their values are read from the context,
# which knows where each came from.

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.options import config, environment, given, setting, unknown_variables
from gateway.cli.reporting import warn
from gateway.settings.doors import exposed_files
from gateway.settings.together import settings_from


def serve(
    ctx: typer.Context,
    *,
    policies: Annotated[
        str | None, setting("policies", "A directory of policies, or one file.", "PATH")
    ] = None,
    upstream: Annotated[
        list[str] | None,
        setting(
            "upstream",
            "The model API, without /v1. Again for a part of the requests: "
            "anthropic=URL (by dialect), 'small-*=URL' (by model).",
            "URL",
        ),
    ] = None,
    store: Annotated[
        str | None,
        setting(
            "store", "Where counters live: memory:// (this process alone) or redis://...", "URL"
        ),
    ] = None,
    store_timeout: Annotated[
        str | None,
        setting("store_timeout", "To wait for an answer of the store, at most.", "TIME"),
    ] = None,
    replicas: Annotated[
        str | None,
        setting(
            "replicas",
            "How many gaugers share the store, for while it is away. By default it says so.",
            "N",
        ),
    ] = None,
    accounts: Annotated[
        str | None,
        setting("accounts", "Who may call (see `gauger account`). Without it: any key.", "FILE"),
    ] = None,
    identities: Annotated[
        str | None,
        setting("identities", "Signed tokens and front proxies to believe.", "FILE"),
    ] = None,
    secret_file: Annotated[
        str | None,
        setting(
            "secret_file",
            "Holds the secret that keys the hashes of credentials; or set GAUGER_SECRET.",
            "FILE",
        ),
    ] = None,
    config_file: Annotated[str | None, config()] = None,
    listen: Annotated[
        str | None,
        setting(
            "listen",
            "For callers. All of IPv4: 0.0.0.0:8080; all of IPv6, and no IPv4: [::]:8080. "
            "Port 0: a free one.",
            "HOST:PORT",
        ),
    ] = None,
    admin: Annotated[
        str | None,
        setting(
            "admin",
            "Status page, /healthz, /readyz, /metrics, accounts; or off. Off loopback only with "
            "a token and TLS.",
            "HOST:PORT",
        ),
    ] = None,
    admin_token_file: Annotated[
        str | None,
        setting(
            "admin_token_file",
            "Holds the token without which the admin port only tells its health; or set "
            "GAUGER_ADMIN_TOKEN.",
            "FILE",
        ),
    ] = None,
    admin_tls_cert: Annotated[
        str | None, setting("admin_tls_cert", "PEM; with it that port speaks TLS.", "FILE")
    ] = None,
    admin_tls_key: Annotated[
        str | None, setting("admin_tls_key", "PEM; else in the same file.", "FILE")
    ] = None,
    admin_tls_client_ca: Annotated[
        str | None,
        setting("admin_tls_client_ca", "Who asks has to show a certificate of these.", "FILE"),
    ] = None,
    admin_plain_http: Annotated[
        bool | None,
        setting("admin_plain_http", "Off loopback without TLS: something else encrypts.", "BOOL"),
    ] = None,
    audit_log: Annotated[
        str | None,
        setting("audit_log", "Gets a line for each deed of an operator's, too.", "FILE"),
    ] = None,
    probes: Annotated[
        str | None,
        setting("probes", "/healthz, /readyz, /metrics alone, for whoever asks.", "HOST:PORT"),
    ] = None,
    probes_metrics: Annotated[
        bool | None, setting("probes_metrics", "/metrics is among the probes.", "BOOL")
    ] = None,
    tls_cert: Annotated[
        str | None, setting("tls_cert", "PEM; with it the callers' port speaks TLS.", "FILE")
    ] = None,
    tls_key: Annotated[
        str | None, setting("tls_key", "PEM; else in the same file.", "FILE")
    ] = None,
    tls_client_ca: Annotated[
        str | None,
        setting("tls_client_ca", "Callers have to show a certificate of these.", "FILE"),
    ] = None,
    upstream_tls_ca: Annotated[
        list[str] | None,
        setting(
            "upstream_tls_ca",
            "Whom to believe in the place of the public authorities. Again as anthropic=FILE for a "
            "selected one; so for the next two.",
            "FILE",
        ),
    ] = None,
    upstream_tls_cert: Annotated[
        list[str] | None, setting("upstream_tls_cert", "Shown to the model API.", "FILE")
    ] = None,
    upstream_tls_key: Annotated[
        list[str] | None, setting("upstream_tls_key", "PEM; else in the same file.", "FILE")
    ] = None,
    guesses_per_minute: Annotated[
        str | None,
        setting(
            "guesses_per_minute",
            "Wrong keys and tokens of an address that get a 401; further ones a 429.",
            "N",
        ),
    ] = None,
    upstream_key_env: Annotated[
        list[str] | None,
        setting(
            "upstream_key_env",
            "The variable that holds the key sent upstream in the place of the caller's. "
            "Again as anthropic=NAME for a selected one.",
            "NAME",
        ),
    ] = None,
    connect_timeout: Annotated[
        str | None, setting("connect_timeout", "To reach the model API.", "TIME")
    ] = None,
    first_byte_timeout: Annotated[
        str | None,
        setting("first_byte_timeout", "Until its answer begins.", "TIME"),
    ] = None,
    idle_timeout: Annotated[
        str | None,
        setting("idle_timeout", "Between two pieces of its answer.", "TIME"),
    ] = None,
    body_limit: Annotated[
        str | None, setting("body_limit", "The largest request taken.", "SIZE")
    ] = None,
    stream_step: Annotated[
        str | None,
        setting("stream_step", "By how much a stream's reservation grows, at least.", "TOKENS"),
    ] = None,
    max_exchanges: Annotated[
        str | None,
        setting("max_exchanges", "Requests under way at once; one more gets a 503.", "N"),
    ] = None,
    retry_jitter: Annotated[
        str | None,
        setting(
            "retry_jitter",
            "Whom gauger refuses is told to come back up to so much later, at most 1s, so that a "
            "crowd does not come at once.",
            "TIME",
        ),
    ] = None,
    shutdown_grace: Annotated[
        str | None,
        setting("shutdown_grace", "For streams to end after SIGTERM.", "TIME"),
    ] = None,
    reload_every: Annotated[
        str | None,
        setting(
            "reload_every",
            "Read policies and accounts anew so often, besides when they are seen to change; "
            "or off.",
            "TIME",
        ),
    ] = None,
    record: Annotated[
        str | None,
        setting("record", "Write traffic records for `gauger backtest`, without prompts.", "FILE"),
    ] = None,
    record_size: Annotated[
        str | None,
        setting("record_size", "Then that file is put aside, and a new one begun.", "SIZE"),
    ] = None,
    record_gzip: Annotated[
        bool | None, setting("record_gzip", "Compress what was put aside.", "BOOL")
    ] = None,
    record_prompts: Annotated[
        bool | None,
        setting("record_prompts", "Record whole requests, prompts and all.", "BOOL"),
    ] = None,
    trust_traceparent: Annotated[
        bool | None,
        setting("trust_traceparent", "Continue callers' traces (inside a mesh).", "BOOL"),
    ] = None,
    log_allowed: Annotated[
        bool | None, setting("log_allowed", "Log what was served, too.", "BOOL")
    ] = None,
) -> None:
    """Stand in front of a model API until SIGTERM or Ctrl-C.

    Every option is also a variable (GAUGER_POLICIES) and a key of a settings file (policies:).
    A flag wins over a variable, a variable over the file.

    Example: gauger serve --policies policies --upstream https://api.openai.com

    For several processes: gauger serve ... --store redis://redis:6379/0
    """
    environ = environment()
    for message in unknown_variables(environ):
        warn(message)
    written = given(ctx)
    settings = settings_from(written, environ)
    for message in exposed_files({name: Path(one.text) for name, one in written.items()}):
        warn(message)
    from gateway.cli.serving import serve_until_stopped  # noqa: PLC0415  # a heavy import, --help needs none of it

    serve_until_stopped(settings)

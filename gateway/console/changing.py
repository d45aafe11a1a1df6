"""Who may change something at the admin port, which asks nobody for his name yet.

A page on another site can make a browser on this machine send requests here. It cannot add a
header without asking first (CORS, which nothing here answers), and a browser says where a request
comes from. One from our own page is refused as well: a foreign name that was made to lead to this
machine (DNS rebinding) is, to the browser, our own.
"""

from starlette.requests import Request

HEADER = "x-gauger-admin"
NEEDED = "1"

_SAID_BY_BROWSERS = ("origin", "sec-fetch-site")


def reason_to_refuse(request: Request) -> str | None:
    """None if it may be done."""
    if request.headers.get(HEADER) != NEEDED:
        return (
            f"The header X-Gauger-Admin: {NEEDED} is missing, without which nothing is changed. "
            f"Try: curl -X POST -H 'X-Gauger-Admin: {NEEDED}' http://HOST:PORT{request.url.path}"
        )
    if any(name in request.headers for name in _SAID_BY_BROWSERS):
        return "This came from a browser, and from there nothing can be changed. Use curl."
    return None

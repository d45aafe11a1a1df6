"""Who may change something at the admin port: no browser, and nobody without the token there is.

A page on another site can make a browser on this machine send requests here. It cannot add a
header without asking first (CORS, which nothing here answers), and a browser says where a request
comes from. One from our own page is refused as well: a foreign name that was made to lead to this
machine (DNS rebinding) is, to the browser, our own. What a browser remembers and sends by itself, a
password, opens nothing here.
"""

from starlette.requests import Request

from gateway.console.token import Form, shown_by

HEADER = "x-gauger-admin"
NEEDED = "1"

_SAID_BY_BROWSERS = ("origin", "sec-fetch-site", "cookie")


def reason_to_refuse(request: Request) -> str | None:
    """None if it may be done."""
    shown = shown_by(request)
    if shown is not None and shown.form is not Form.BEARER:
        return "A password that a browser remembers changes nothing. Use Authorization: Bearer."
    if request.headers.get(HEADER) != NEEDED:
        return (
            f"The header X-Gauger-Admin: {NEEDED} is missing, without which nothing is changed. "
            f"Try: curl -X POST -H 'X-Gauger-Admin: {NEEDED}' http://HOST:PORT{request.url.path}"
        )
    if any(name in request.headers for name in _SAID_BY_BROWSERS):
        return "This came from a browser, and from there nothing can be changed. Use curl."
    return None

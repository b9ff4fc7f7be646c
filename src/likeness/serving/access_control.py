"""Who may use the service: checked for every request, before anything else looks at it.

* Host: on loopback only requests addressed to loopback by name are answered, so that a web page whose name was
  made to point here (DNS rebinding) gets nothing.
* Origin: what changes something or carries photographs must come from the service's own page, or from a program
  (which sends neither `Origin` nor `Sec-Fetch-Site`), not from a form on another site.
* Token: where one is set, programs send it as `Authorization: Bearer TOKEN`. A browser opens `/?token=TOKEN`, or
  gives the token on the sign-in page, and gets a cookie. It is compared in constant time.

Every answer forbids framing, foreign scripts and guessing of types.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SHORTEST_TOKEN = 16
SIGN_IN = "/session"

_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_TOKEN_NEEDED = "a token is needed, as a header: Authorization: Bearer TOKEN"
_OWN_SITE = frozenset({"same-origin", "none"})
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",  # under "no-referrer" a browser's own forms come without their origin
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class Guard:
    """Middleware that refuses whom it must; see the module.

    Args:
        app: what it guards.
        loopback: the service listens on loopback only.
        token: what callers must know; None: anybody who can reach it may.
        sign_in: makes the page on which a browser gives the token; its argument says that one was wrong.
    """

    def __init__(
        self, app: ASGIApp, *, loopback: bool, token: str | None, sign_in: Callable[[bool], Response]
    ) -> None:
        self._app = app
        hosts = _LOOPBACK_NAMES if loopback else None
        self._checked = TrustedHostMiddleware(self._answer, allowed_hosts=hosts, www_redirect=False)
        self._token = token
        self._sign_in = sign_in

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers itself, or passes the request on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._checked(scope, receive, _with_headers(send))

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self._refusal(scope) or self._app
        await answer(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if scope["method"] not in _SAFE_METHODS and not _own_origin(headers):
            return _no("this request comes from another site", 403)
        path, home = scope["path"], scope["method"] == "GET" and scope["path"] == "/"
        if self._token is None or path == SIGN_IN or path.startswith("/static/"):
            return None
        shown = QueryParams(scope["query_string"]).get("token") if home else None
        if shown is not None and same_secret(shown, self._token):
            return signed_in(self._token)
        if self._knows_token(headers):
            return None
        return self._sign_in(shown is not None) if home else _no(_TOKEN_NEEDED, 401)

    def _knows_token(self, headers: Headers) -> bool:
        assert self._token is not None
        scheme, _, shown = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and same_secret(shown.strip(), self._token):
            return True
        return same_secret(_cookie(headers, cookie_name(self._token)), session_of(self._token))


def signed_in(token: str) -> Response:
    """Sends a browser that knows the token to the page, with a cookie instead of the token."""
    answer = RedirectResponse("/", 303)
    answer.set_cookie(cookie_name(token), session_of(token), httponly=True, samesite="strict")
    return answer


def cookie_name(token: str) -> str:
    """Differs by token, because services on other ports of this machine share their cookies."""
    return f"likeness_session_{hashlib.sha256(token.encode()).hexdigest()[:8]}"


def session_of(token: str) -> str:
    """What the cookie holds instead of the token itself."""
    return hmac.new(token.encode(), b"likeness session", hashlib.sha256).hexdigest()


def same_secret(shown: str, secret: str) -> bool:
    """Equality in a time that does not depend on how much is equal."""
    return hmac.compare_digest(shown.encode(), secret.encode())


def _cookie(headers: Headers, name: str) -> str:
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


def _own_origin(headers: Headers) -> bool:
    origin = headers.get("origin")
    if origin is not None:
        try:
            return urlsplit(origin).netloc == headers.get("host")
        except ValueError:  # such as http://[
            return False
    return headers.get("sec-fetch-site", "none") in _OWN_SITE


def _no(why: str, status: int) -> Response:
    return JSONResponse({"error": why}, status, {"Connection": "close"})


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return send_with_headers

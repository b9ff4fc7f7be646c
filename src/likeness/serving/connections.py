"""HTTP connections that do not wait for ever: for a request's head, and for their number."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 10.0
"""Within which the head of a request has to arrive."""
MAX_CONNECTIONS = 1000
"""At once; a further one is closed unanswered."""


class TimedProtocol(H11Protocol):
    """Uvicorn's protocol, which itself waits without end for the first byte and for the rest of a head."""

    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Takes the connection, unless there are too many."""
        super().connection_made(transport)
        if len(self.connections) > MAX_CONNECTIONS:
            transport.close()
        else:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forgets the connection."""
        self._forget_timer()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """Reads what has come; a complete head ends the wait for it."""
        super().handle_events()
        if self.cycle is not None and not self.cycle.response_complete:
            self._forget_timer()

    def on_response_complete(self) -> None:
        """Waits for the next request on the same connection."""
        super().on_response_complete()
        if not self.transport.is_closing():
            self._await_head()

    def _await_head(self) -> None:
        self._forget_timer()
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _give_up(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()

    def _forget_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


def protocol_options() -> dict[str, Any]:
    """Options of uvicorn that put this protocol to use; its own limit counts connections that ask nothing, too."""
    return {"http": TimedProtocol, "ws": "none", "limit_concurrency": None}

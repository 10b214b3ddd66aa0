"""Faults of the ASGI adapter: what passes it, and what it raises."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import pytest

from errorkit import asgi, handler, judgement, normalisation
from errorkit.asgi import exchange as asgi_exchange
from errorkit.asgi import messages, websocket
from errorkit.asgi.exchange import ASGIExchange
from errorkit.default_bodies import Default
from errorkit.lifecycle import DONE, RAISE, Exchange
from fidelity.seeding import Faults

seeded = Faults()

# -- exceptions


@seeded("asgi-failures_after_the_start", "GET /chunk: raised nothing to the server")
def a_torn_answer_is_not_raised_to_the_server(patch: pytest.MonkeyPatch) -> None:
    raised = Exchange.raised

    def swallowed(self: Any, exception: BaseException) -> Any:
        fate = raised(self, exception)
        return DONE if fate is RAISE else fate

    patch.setattr(Exchange, "raised", swallowed)


@seeded("asgi-failures_after_the_start", "raised RuntimeError#1 to the server, bare RuntimeError#0")
def an_exception_is_replaced_by_another_object(patch: pytest.MonkeyPatch) -> None:
    settle = ASGIExchange.settle

    async def replacing(self: Any, exception: Exception) -> bool:
        if await settle(self, exception):
            return True
        raise type(exception)(*exception.args) from exception

    patch.setattr(ASGIExchange, "settle", replacing)


@seeded("asgi-applications_that_stop", "GET /nothing: nothing was answered")
def an_application_without_an_answer_gets_none(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Exchange, "returned", lambda self: DONE)


@seeded("asgi-failures_after_the_start", "GET /started: status 500, bare 200")
def a_start_is_held_without_hold_start(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ASGIExchange, "holds_start", True)


# -- what passes


@seeded("asgi-headers_of_a_request_in_every_form", "+ headers []")
def an_iterator_of_request_headers_is_consumed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(asgi, "listed_headers", lambda message: list(message.get("headers", ())))


@seeded("asgi-headers_in_every_form", "fields lost [('set-cookie', 'a=1')]")
def of_two_fields_of_one_name_one_stays(patch: pytest.MonkeyPatch) -> None:
    stamped = Exchange.stamped
    patch.setattr(Exchange, "stamped", lambda self, headers: list(dict(stamped(self, headers)).items()))


@seeded("asgi-the_order_of_messages", "+ its own headers are")
def the_applications_own_headers_are_changed(patch: pytest.MonkeyPatch) -> None:
    def stamped(self: Any, headers: Any) -> Any:
        headers.append((self.renderer.id_header, self.request_id.encode()))
        return headers

    patch.setattr(Exchange, "succeeds", lambda self, status, headers: None)
    patch.setattr(Exchange, "stamped", stamped)


@seeded("asgi-answers_of_other_code", "the field ('set-cookie', 'a=1') is lost")
def fields_of_a_replaced_answer_are_dropped(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(handler, "surviving", lambda status, headers: [])


@seeded("asgi-answers_of_other_code", "the field etag is that of the old body")
def fields_that_describe_the_old_body_stay(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(normalisation, "_DESCRIBES_BODY", frozenset({b"content-length", b"content-type"}))


@seeded("asgi-answers_of_other_code", "GET /lines: body")
def a_deliberate_body_is_replaced(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(judgement, "recognise", lambda *answer, **how: Default())


@seeded("asgi-answers_of_other_code", "GET /phrase: not in the dialect")
def a_default_body_is_let_go(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(judgement, "recognise", lambda *answer, **how: None)


@seeded("asgi-answers_of_other_code", "GET /coded: body")
def a_coded_body_is_looked_into(patch: pytest.MonkeyPatch) -> None:
    """As if there were no coding."""
    fields = judgement.field_map
    patch.setattr(judgement.Judge, "leaves", lambda self, status, shaped_by, headers: "")
    patch.setattr(judgement, "field_map", lambda headers: {**fields(headers), "content-encoding": "identity"})


@seeded("asgi-head_is_as_get", "HEAD /page: ")
def the_answer_to_head_is_replaced(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(normalisation, "unsent", lambda *about: Default())


@seeded("asgi-head_is_as_get", "HEAD has the body")
def an_answer_to_head_has_a_body(patch: pytest.MonkeyPatch) -> None:
    async def respond(exchange: Any, response: Any, send: Any) -> None:
        status, headers, body = response
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    patch.setattr(asgi_exchange, "respond", respond)


@seeded("asgi-messages_of_extensions", "messages")
def messages_of_extensions_are_dropped(patch: pytest.MonkeyPatch) -> None:
    send = ASGIExchange.send

    def known(self: Any, message: Any) -> Awaitable[None]:
        if message["type"] in ("http.response.start", "http.response.body"):
            return send(self, message)
        return messages.nothing()

    patch.setattr(ASGIExchange, "send", known)


@seeded("asgi-event_streams_that_fail", "GET /length: body")
def an_event_goes_beyond_the_length_of_a_stream(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Exchange, "_is_event_stream", lambda self: (b"content-type", b"text/event-stream") in self.headers)


@seeded("asgi-prefixes_behind_a_root_path", "GET /sub/v1/crash: not in the dialect")
def the_root_path_is_not_taken_off(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(asgi, "routed_path", lambda scope: scope["path"])


@seeded("asgi-a_lifespan_with_state", "- opened")
def a_lifespan_is_swallowed(patch: pytest.MonkeyPatch) -> None:
    call = asgi.ErrorMiddleware.__call__

    async def without(self: Any, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await call(self, scope, receive, send)

    patch.setattr(asgi.ErrorMiddleware, "__call__", without)


# -- websockets


@seeded("asgi-websockets", "closed with (1000, ")
def the_close_code_of_a_crash_is_lost(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(websocket, "close_code", lambda status: 1000)


def _rewriting(patch: pytest.MonkeyPatch, new: Any) -> None:
    noting = websocket.noting

    def rewriting(exchange: Any, send: Any) -> Any:
        noted = noting(exchange, send)
        return lambda message: noted(new(message))

    patch.setattr(websocket, "noting", rewriting)


@seeded("asgi-websockets", "closed with (1008, 'enough'), bare (4010, 'enough')")
def the_close_code_of_the_application_is_changed(patch: pytest.MonkeyPatch) -> None:
    _rewriting(patch, lambda message: {**message, **({"code": 1008} if "code" in message else {})})


@seeded("asgi-websockets", "closed with None, bare (4001, 'try later')")
def a_chosen_refusal_becomes_a_response(patch: pytest.MonkeyPatch) -> None:
    denial = {"type": "websocket.http.response.start", "status": 403, "headers": []}
    _rewriting(patch, lambda message: dict(denial) if message.get("code") == 4001 else message)

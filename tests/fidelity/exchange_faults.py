"""Faults of the exchange, seen through ASGI: its event and its request id."""

from __future__ import annotations

from typing import Any

import pytest

from errorkit import handler
from errorkit.asgi.exchange import ASGIExchange
from errorkit.events import EventLog
from errorkit.lifecycle import DONE, RAISE, Exchange
from fidelity.seeding import Faults

seeded = Faults()

# -- events


@seeded("asgi-failures_before_the_first_byte", "2 events")
def an_event_is_written_twice(patch: pytest.MonkeyPatch) -> None:
    record = handler.ErrorHandler.record

    def twice(self: Any, request: Any) -> None:
        record(self, request)
        request.recorded = False
        record(self, request)

    patch.setattr(handler.ErrorHandler, "record", twice)


@seeded("asgi-failures_before_the_first_byte", "0 events")
def the_end_of_an_exchange_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Exchange, "conclude", lambda self, *, by_exit=False: None)


@seeded("asgi-failures_before_the_first_byte", "1 events")
def an_event_is_written_of_a_success(patch: pytest.MonkeyPatch) -> None:
    succeeds = Exchange.succeeds

    def observed(self: Any, status: int, headers: Any) -> Any:
        self.handler.observe(self, status)
        return succeeds(self, status, headers)

    patch.setattr(Exchange, "succeeds", observed)


@seeded("asgi-failures_before_the_first_byte", "the event has the id another")
def an_event_has_another_id_than_its_answer(patch: pytest.MonkeyPatch) -> None:
    record = EventLog.record

    def renamed(self: EventLog, request: Any, failure: Any) -> None:
        request.request_id = "another"
        record(self, request, failure)

    patch.setattr(EventLog, "record", renamed)


@seeded("asgi-answers_of_other_code", "the event says 500")
def an_event_has_another_status_than_its_answer(patch: pytest.MonkeyPatch) -> None:
    observe = handler.ErrorHandler.observe
    patch.setattr(handler.ErrorHandler, "observe", lambda self, request, status: observe(self, request, 500))


@seeded("asgi-failures_after_the_start", "0 events")
def a_failed_background_task_is_not_told(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Exchange, "_raised_after_the_end", lambda self, exception: RAISE)


@seeded("asgi-applications_that_stop", "0 events")
def an_incomplete_answer_is_not_told(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Exchange, "returned", lambda self: DONE)


@seeded("asgi-clients_that_leave", "a client that left is told as {'code': 'internal', 'status': 500")
def a_client_that_left_is_told_as_a_crash(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Exchange, "says_departed", lambda self, exception: False)


@seeded("asgi-clients_that_leave", "a client that left is told as")
def a_client_that_left_is_told_as_an_incomplete_answer(patch: pytest.MonkeyPatch) -> None:
    async def receive(self: Any) -> Any:
        return await self.server_receive()

    patch.setattr(ASGIExchange, "receive", receive)


# -- the request id


@seeded("asgi-request_ids_of_the_application", "request ids ['upstream-77', ")
def the_id_is_appended_although_one_is_there(patch: pytest.MonkeyPatch) -> None:
    def stamped(self: Any, headers: Any) -> Any:
        return [*headers, (self.renderer.id_header, self.request_id.encode())]

    patch.setattr(Exchange, "succeeds", lambda self, status, headers: None)
    patch.setattr(Exchange, "stamped", stamped)


@seeded("asgi-request_ids_of_the_application", "bare ['upstream-77']")
def the_applications_own_id_is_replaced(patch: pytest.MonkeyPatch) -> None:
    def stamped(self: Any, headers: Any) -> Any:
        own = self.renderer.id_header
        others = [(name, value) for name, value in headers if name.lower() != own]
        return [*others, (own, self.request_id.encode())]

    patch.setattr(Exchange, "succeeds", lambda self, status, headers: None)
    patch.setattr(Exchange, "stamped", stamped)


@seeded("asgi-failures_before_the_first_byte", "GET /ok: 0 request ids")
def a_success_has_no_id(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Exchange, "succeeds", lambda self, status, headers: None)
    patch.setattr(Exchange, "stamped", lambda self, headers: headers)


@seeded("asgi-websockets", "2 request ids")
def an_accepted_websocket_has_two_ids(patch: pytest.MonkeyPatch) -> None:
    stamped = Exchange.stamped

    def twice(self: Any, headers: Any) -> Any:
        return [*stamped(self, headers), (self.renderer.id_header, self.request_id.encode())]

    patch.setattr(Exchange, "stamped", twice)

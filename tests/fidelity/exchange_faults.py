"""Faults of the exchange, seen through ASGI: its event and its request id."""

from __future__ import annotations

from typing import Any

import pytest

from errorkit import handler
from errorkit.asgi import http
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
    def conclude(self: Any, *, by_exit: bool = False) -> None:
        self._tell()

    patch.setattr(Exchange, "conclude", conclude)


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
    patch.setattr(http, "heard", lambda exchange, receive: receive)


# -- the request id


@seeded("asgi-request_ids_of_the_application", "request ids ['upstream-77', ")
def the_id_is_appended_although_one_is_there(patch: pytest.MonkeyPatch) -> None:
    def stamped(self: Any, headers: Any) -> Any:
        return [*headers, (self.id_header, self.request_id.encode())]

    patch.setattr(Exchange, "stamped", stamped)


@seeded("asgi-request_ids_of_the_application", "bare ['upstream-77']")
def the_applications_own_id_is_replaced(patch: pytest.MonkeyPatch) -> None:
    def stamped(self: Any, headers: Any) -> Any:
        others = [(name, value) for name, value in headers if name.lower() != self.id_header]
        return [*others, (self.id_header, self.request_id.encode())]

    patch.setattr(Exchange, "stamped", stamped)


@seeded("asgi-failures_before_the_first_byte", "GET /ok: 0 request ids")
def a_success_has_no_id(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Exchange, "stamped", lambda self, headers: headers)


@seeded("asgi-websockets", "2 request ids")
def an_accepted_websocket_has_two_ids(patch: pytest.MonkeyPatch) -> None:
    stamped = Exchange.stamped

    def twice(self: Any, headers: Any) -> Any:
        return [*stamped(self, headers), (self.id_header, self.request_id.encode())]

    patch.setattr(Exchange, "stamped", twice)

"""Faults of the adapters for WSGI and Flask."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pydantic
import pytest
from werkzeug.exceptions import HTTPException

from errorkit import ValidationError
from errorkit import flask as errorkit_flask
from errorkit.flask import Answers, ErrorKit, FlaskExchange
from errorkit.lifecycle import DONE, RAISE, Exchange
from errorkit.wsgi import Body, WSGIExchange
from fidelity.seeding import Faults

seeded = Faults()

# -- WSGI


@seeded("wsgi-close_is_called_once", "- closed")
def close_is_not_called(patch: pytest.MonkeyPatch) -> None:
    close = Body.close

    def forgetful(self: Any) -> None:
        self.inner = ()
        close(self)

    patch.setattr(Body, "close", forgetful)


@seeded("wsgi-close_is_called_once", "+ closed")
def close_is_called_twice(patch: pytest.MonkeyPatch) -> None:
    close = Body.close

    def twice(self: Any) -> None:
        close(self)
        self.closed = False
        close(self)

    patch.setattr(Body, "close", twice)


@seeded("wsgi-generators_that_fail_at_once", "GET /at-once: ")
def a_start_is_not_held_for_the_first_chunk(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(WSGIExchange, "holds_start", False)


@seeded("wsgi-bodies_that_fail_later", "raised nothing to the server, bare RuntimeError#0")
def a_torn_body_looks_whole(patch: pytest.MonkeyPatch) -> None:
    raised = Body._raised

    def swallowed(self: Any, exception: Exception) -> Any:
        fate = raised(self, exception)
        return DONE if fate is RAISE else fate

    patch.setattr(Body, "_raised", swallowed)


@seeded("wsgi-bodies_that_fail_later", "GET /whole: body b'b', bare b'ab'")
def the_chunk_that_was_waited_for_is_lost(patch: pytest.MonkeyPatch) -> None:
    pull = Body._pull

    def losing(self: Any) -> None:
        pull(self)
        del self.pending[:1]

    patch.setattr(Body, "_pull", losing)


@seeded("wsgi-exc_info", "GET /late: ")
def a_second_start_is_let_pass_after_the_first_byte(patch: pytest.MonkeyPatch) -> None:
    start = Body.start_response

    def lenient(self: Any, line: str, headers: Any, exc_info: Any = None) -> Any:
        return self._write if self.sent else start(self, line, headers, exc_info)

    patch.setattr(Body, "start_response", lenient)


@seeded("wsgi-exc_info", "GET /replaced: body")
def a_second_start_is_refused_before_the_first_byte(patch: pytest.MonkeyPatch) -> None:
    start = Body.start_response

    def strict(self: Any, line: str, headers: Any, exc_info: Any = None) -> Any:
        return start(self, line, headers)

    patch.setattr(Body, "start_response", strict)


@seeded("wsgi-file_wrapper", "- the server's own file")
def the_servers_own_file_is_wrapped(patch: pytest.MonkeyPatch) -> None:
    def handed_through(self: Any) -> Any:
        self.iterator = iter(self.inner)
        self._pull()
        return self

    patch.setattr(Body, "_handed_through", handed_through)


@seeded("wsgi-request_ids_of_the_application", "request ids ['upstream-77', ")
def the_id_is_appended_to_wsgi_fields_although_one_is_there(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Body, "_stamped", lambda self, headers: [*headers, ("X-Request-Id", self.exchange.request_id)])


@seeded("wsgi-the_write_callable", "GET /written-fails: ")
def what_was_written_is_sent_with_the_body(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Body, "_write", lambda self, data: self.pending.append(data))


# -- Flask: who hears of what


@seeded("flask-an_instrumentation_put_in_after_errorkit", "+ instrumentation: 200 OK for no request")
def the_response_starts_when_flasks_request_is_over(patch: pytest.MonkeyPatch) -> None:
    finalize = Answers.finalize_request

    def late(self: Any, *about: Any, **more: Any) -> Any:
        response = finalize(self, *about, **more)
        self.exchange().holds_start = True
        return response

    patch.setattr(Answers, "finalize_request", late)


@seeded("flask-a_handler_for_http_exception", "- http 404")
def a_users_handler_for_http_exception_is_passed_by(patch: pytest.MonkeyPatch) -> None:
    handle = Answers.handle_user_exception

    def by_itself(self: Any, exception: Exception) -> Any:
        return exception if isinstance(exception, HTTPException) else handle(self, exception)

    patch.setattr(Answers, "handle_user_exception", by_itself)


@seeded("flask-a_handler_for_exception", "status 500, bare")
def declared_errors_go_to_a_handler_for_exception(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Answers, "_declared", lambda self, exchange, exception: None)


@seeded("flask-answers_of_a_users_handler_for_a_class", "GET /empty: body")
def the_answer_of_an_errorhandler_is_replaced(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Exchange, "answered_by", lambda self, name, exception: None)


@seeded("flask-exceptions_below_400", "GET /redirect: status 500, bare 308")
def a_redirect_that_flask_raises_is_a_crash(patch: pytest.MonkeyPatch) -> None:
    finalize = Answers.finalize_request

    def failing(self: Any, rv: Any, from_error_handler: bool = False) -> Any:
        if isinstance(rv, HTTPException) and (rv.code or 0) < 400:
            rv = self._answer(self.exchange(), rv)
        return finalize(self, rv, from_error_handler)

    patch.setattr(Answers, "finalize_request", failing)


@seeded("flask-everybody_hears_of_it", "- after 500")
def a_crash_is_answered_outside_of_flask(patch: pytest.MonkeyPatch) -> None:
    finalize = Answers.finalize_request

    def trapped(self: Any, rv: Any, from_error_handler: bool = False) -> Any:
        if from_error_handler:
            raise rv.original_exception
        return finalize(self, rv, from_error_handler)

    patch.setattr(Answers, "finalize_request", trapped)


@seeded("flask-the_frameworks_own_errors", "the field ('allow', ")
def fields_of_an_http_exception_are_lost(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(errorkit_flask, "_fields_of", lambda exception: [])


@seeded("flask-abort_with_a_response", "GET /detail: body")
def a_response_that_was_aborted_with_is_replaced(patch: pytest.MonkeyPatch) -> None:
    answered_by = Exchange.answered_by

    def but_abort(self: Any, name: str, exception: BaseException) -> None:
        if name != "abort":
            answered_by(self, name, exception)

    patch.setattr(Exchange, "answered_by", but_abort)


@seeded("flask-pydantic_errors_of_the_services_own", "status 422, bare 500")
def a_validation_error_of_the_services_own_is_the_clients(patch: pytest.MonkeyPatch) -> None:
    init = ErrorKit.__init__

    def translating(self: Any, *about: Any, **more: Any) -> None:
        init(self, *about, **more)
        self.handler.identifier.add({pydantic.ValidationError: lambda exception: ValidationError()})

    patch.setattr(ErrorKit, "__init__", translating)


@seeded("flask-an_extension_that_takes_over", "GET /rest/declared: status 500, bare 409")
def an_extension_that_takes_over_gets_declared_errors(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Answers, "see_that_they_are_asked", lambda self: None)


@seeded("flask-testing", "raised nothing to the server, bare RuntimeError#0")
def a_crash_is_answered_although_it_shall_propagate(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(FlaskExchange, "propagates", lambda self, exception: False)


@seeded("flask-a_limiter_that_writes_the_wait_afterwards", "waits ['60'] s")
def a_wait_that_was_written_afterwards_is_not_in_the_answer(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Exchange, "reissued", lambda self, headers: None)


@seeded("flask-streams", "GET /late: ")
def a_stream_is_read_before_it_is_sent(patch: pytest.MonkeyPatch) -> None:
    def whole(self: Any) -> Iterator[bytes]:
        while not self.exhausted:
            chunk = self._next()
            if chunk is not None:
                self.pending.append(chunk)
        chunks, self.pending = self.pending, []
        yield from chunks
        self.exchange.conclude()

    patch.setattr(Body, "__iter__", whole)

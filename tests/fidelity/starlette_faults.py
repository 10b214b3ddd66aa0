"""Faults of the adapters for Starlette and FastAPI."""

from __future__ import annotations

from typing import Any

import pytest

from errorkit import fastapi as errorkit_fastapi
from errorkit import starlette as errorkit_starlette
from errorkit.asgi.exchange import ASGIExchange
from errorkit.lifecycle import Exchange
from errorkit.starlette import cover, table
from errorkit.starlette.exchange import StarletteExchange
from fidelity.seeding import Faults

seeded = Faults()

# -- where exceptions are answered


@seeded("starlette-a_unit_of_work", "- ROLLBACK for RuntimeError#0")
def strangers_are_answered_at_the_router(patch: pytest.MonkeyPatch) -> None:
    find = table.Answers.find

    async def answer(connection: Any, exception: Exception) -> Any:
        exchange = connection.scope[table.SCOPE_KEY]
        return table.Answer(exchange, exchange.answer(exception))

    patch.setattr(table.Answers, "find", lambda self, exception: find(self, exception) or answer)


@seeded("fastapi-a_stream_torn_by_a_declared_error", "raised RuntimeError#1 to the server, bare NotFoundError#0")
def errors_are_answered_once_the_response_has_begun(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(table.Table, "__contains__", lambda self, key: key in self.answers.by_class)
    patch.setattr(table.Table, "__getitem__", lambda self, key: self.answers.by_class[key])


@seeded("starlette-watched_by_pure_middlewares", "+ outer saw Declared#0")
def an_answered_error_flies_on(patch: pytest.MonkeyPatch) -> None:
    send = table.Answer.__call__

    async def and_raise(self: Any, *about: Any) -> None:
        await send(self, *about)
        raise self.exchange.answered

    patch.setattr(table.Answer, "__call__", and_raise)


@seeded("fastapi-unit_of_work_of_pure_asgi", "+ ROLLBACK for Declared#0")
def declared_errors_are_answered_at_the_outside_alone(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(table.Answers, "_declared", lambda self: ())
    patch.setattr(table.Answers, "find", lambda self, exception: None)


@seeded("starlette-cors_of_mount_router_and_route", "access-control-allow-origin")
def a_mounts_middleware_does_not_see_answers(patch: pytest.MonkeyPatch) -> None:
    """F-05: all is answered at the application's router, as if the routes had no table."""
    call = table.Guard.__call__

    async def tableless(self: Any, scope: Any, receive: Any, send: Any) -> None:
        inner = self.app

        async def without(scope: Any, receive: Any, send: Any) -> None:
            scope[table.HANDLERS_KEY] = ({}, {})
            await inner(scope, receive, send)

        guard = table.Guard(without, self.handler, self.defaults)
        await call(guard, scope, receive, send)

    patch.setattr(table.Guard, "__call__", tableless)


# -- handlers of the user's


@seeded("starlette-a_catch_all_handler", "+ catch-all saw HTTPException#0")
def a_handler_for_exception_gets_what_is_declared(patch: pytest.MonkeyPatch) -> None:
    declared = table.Answers.declared

    async def to_the_catch_all(self: Any, connection: Any, exception: Exception) -> Any:
        user = connection.app.exception_handlers.get(Exception)
        if user is None:
            return await declared(self, connection, exception)
        return await table.called(user, connection, exception)

    patch.setattr(table.Answers, "declared", to_the_catch_all)


@seeded("starlette-a_catch_all_handler", "- catch-all saw RuntimeError#0")
def a_handler_for_exception_is_passed_by(patch: pytest.MonkeyPatch) -> None:
    init = cover.LastAnswers.__init__
    patch.setattr(
        cover.LastAnswers, "__init__", lambda self, app, errors, defaults, user: init(self, app, errors, defaults, None)
    )


@seeded("starlette-answers_of_a_users_handler", "GET /text: body")
def the_answer_of_a_users_handler_is_replaced(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Exchange, "answered_by", lambda self, name, exception: None)


@seeded("starlette-handlers_for_statuses", "- page for 404")
def a_users_handler_for_a_status_is_passed_by(patch: pytest.MonkeyPatch) -> None:
    init = table.Answers.__init__

    def without(self: Any, handler: Any, defaults: Any, tables: Any) -> None:
        init(self, handler, defaults, (tables[0], {}))

    patch.setattr(table.Answers, "__init__", without)


@seeded("fastapi-handlers_that_delegate_to_the_defaults", "not in the dialect")
def an_answer_of_the_framework_by_a_users_handler_is_let_go(patch: pytest.MonkeyPatch) -> None:
    async def never(*about: Any) -> bool:
        return False

    patch.setattr(table.Answers, "_is_framework_answer", never)


@seeded("fastapi-a_handler_that_delegates_and_adds_a_task", "- told the operator")
def the_background_task_of_a_replaced_answer_is_lost(patch: pytest.MonkeyPatch) -> None:
    init = table.Answer.__init__
    patch.setattr(
        table.Answer, "__init__", lambda self, exchange, response, background=None: init(self, exchange, response)
    )


# -- exceptions that are none


@seeded("starlette-redirects_and_methods", "GET /exception: status 500, bare 307")
def a_redirect_that_is_raised_is_a_crash(patch: pytest.MonkeyPatch) -> None:
    async def declared(self: Any, connection: Any, exception: Exception) -> Any:
        exchange = connection.scope[table.SCOPE_KEY]
        return table.Answer(exchange, exchange.answer(exception))

    patch.setattr(table.Answers, "declared", declared)


@seeded("fastapi-an_http_exception_chained_to_a_decode_error", "status 400, bare 502")
def an_exception_chained_to_a_decode_error_is_malformed_json(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        errorkit_fastapi, "_is_unreadable_body", lambda exception: isinstance(exception.__cause__, UnicodeDecodeError)
    )


# -- the outermost place


@seeded("starlette-an_error_of_a_middleware_inside_of_cors", "a browser cannot read it")
def a_crash_has_no_cors_fields(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(cover, "CORSMiddleware", type("Another", (), {}))


@seeded("fastapi-crashes_are_raised_again_on_wish", "raised nothing to the server, bare RuntimeError#0")
def a_crash_is_not_raised_although_it_was_wished(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(StarletteExchange, "propagates", lambda self, exception: False)


@seeded("fastapi-the_first_request_fails", "GET /crash: 0 request ids", "last-without-lifespan")
def the_first_request_without_a_lifespan_is_not_covered(patch: pytest.MonkeyPatch) -> None:
    first = errorkit_starlette.ErrorMiddleware.first

    async def later(self: Any, scope: Any, receive: Any, send: Any) -> None:
        patch.setattr(errorkit_starlette.ErrorMiddleware, "first", first)
        await self.app(scope, receive, send)

    patch.setattr(errorkit_starlette.ErrorMiddleware, "first", later)


@seeded("starlette-mounts", "GET /app/declared: status 500, bare 409")
def mounted_applications_are_not_covered(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(cover, "mounted", lambda routes, path: ())


@seeded("starlette-an_instrumentation_put_in_after_errorkit", "instrumentation")
def layers_of_others_are_taken_out_of_the_stack(patch: pytest.MonkeyPatch) -> None:
    def of(stack: Any, errors: Any) -> Any:
        while not isinstance(stack, cover.ServerErrorMiddleware):
            stack = stack.app
        return (
            stack
            if isinstance(stack, cover.Outermost)
            else cover.Outermost(stack.app, stack.handler, stack.debug, errors)
        )

    patch.setattr(cover.Outermost, "of", staticmethod(of))
    patch.setattr(cover.Outermost, "stays_inside", lambda self, scope: setattr(scope["app"], "middleware_stack", self))


# -- streams


@seeded("starlette-torn_streams_under_base_http", "the torn stream looks whole")
def the_last_chunk_of_a_torn_stream_makes_it_whole(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Exchange, "flies", lambda self, exception, *, begun: None)


@seeded("starlette-a_middleware_that_ends_a_torn_stream", "the answer is not complete")
def a_message_that_was_withheld_is_lost(patch: pytest.MonkeyPatch) -> None:
    async def finish(self: Any) -> None:
        self.returned()

    patch.setattr(ASGIExchange, "finish", finish)


# -- websockets


@seeded("fastapi-websockets_closed_before_accept", "closed with None, bare (1008, 'no token')")
def a_close_by_an_exception_becomes_a_response(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(table, "_chosen_close", lambda exchange: None)

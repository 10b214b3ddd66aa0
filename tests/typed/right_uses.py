"""Uses that every type checker accepts in its strictest mode. Checked by test_checkers.py, never run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from types import ModuleType
from typing import Any, TypedDict, Unpack
from wsgiref.types import WSGIApplication

from fastapi import FastAPI
from flask import Flask
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

import errorkit.asgi
import errorkit.fastapi
import errorkit.flask
import errorkit.starlette
import errorkit.wsgi
from errorkit import (
    APIError,
    Catalog,
    ConflictError,
    Detail,
    Dialect,
    NotFoundError,
    RateLimit,
    RateLimitError,
    visible,
)
from errorkit.choosing import by_date, by_function, by_header, by_media_type
from errorkit.config import Config
from errorkit.dialects.google import Google
from errorkit.dialects.openai import OpenAI
from errorkit.exchange import Request
from errorkit.failure import Failure, Public
from errorkit.publish.reference.mount import ReferenceASGI
from errorkit.request_id import RequestIdFormat
from errorkit.settings import Settings

app, plain, site = FastAPI(), Starlette(), Flask(__name__)


class TableLocked(Exception): ...


class Flat(Dialect):
    name = "flat"
    carries = ("status", "code", "message")
    tone: str = "dry"

    class Body(TypedDict):
        error: str

    def write(self, public: Public) -> Body:
        return {"error": self.spell(public.code)}

    def read(self, status: int, headers: Mapping[str, str], body: Any) -> Public:
        return self.public(status, headers)


class Named(Dialect):
    def __init__(self, service: str) -> None:
        super().__init__(name=service)


# add_middleware, of whichever adapter

app.add_middleware(errorkit.fastapi.ErrorMiddleware)
app.add_middleware(errorkit.fastapi.ErrorMiddleware, dialect="openai")
app.add_middleware(errorkit.fastapi.ErrorMiddleware, config=Config(dialect="openai"))
app.add_middleware(errorkit.starlette.ErrorMiddleware, dialect="openai", tenant_status=403)
app.add_middleware(errorkit.asgi.ErrorMiddleware, dialect=OpenAI())
plain.add_middleware(errorkit.starlette.ErrorMiddleware, dialect=Flat)
Starlette(middleware=[Middleware(errorkit.starlette.ErrorMiddleware, dialect="kaiko")])

# the other entrances


async def served(scope: Scope, receive: Receive, send: Send) -> None: ...


def around(asgi: ASGIApp, wsgi: WSGIApplication) -> tuple[ASGIApp, WSGIApplication]:
    return errorkit.asgi.ErrorMiddleware(asgi, dialect="problem"), errorkit.wsgi.ErrorMiddleware(wsgi, dialect="google")


errorkit.asgi.ErrorMiddleware(served, dialect="problem")
errorkit.wsgi.ErrorMiddleware(site.wsgi_app, dialect="aws_rest")
errorkit.starlette.ErrorMiddleware(plain, reraise=True)
errorkit.fastapi.install(app, dialect="openai")
errorkit.starlette.install(plain, normalise="all")
errorkit.flask.ErrorKit(site, dialect="stripe")
errorkit.flask.ErrorKit(negotiate=True).init_app(site)
app.mount("/errors", ReferenceASGI(title="Shop", docs_url="https://example.com/{code}"))


def build(target: FastAPI, **settings: Unpack[Settings]) -> None:
    errorkit.fastapi.install(target, **settings)


common: Settings = {"dialect": "openai", "levels": {"404": "debug"}}
build(app, **common)

# every form of a setting


def translated(exception: TableLocked) -> APIError | None:
    return None


def note(failure: Failure, request: Request) -> None: ...


def from_elsewhere(module: ModuleType, errors: list[type[APIError]], table: Mapping[str, Any]) -> None:
    Config(catalog=[ConflictError, module])
    Config(catalog=errors)
    Config(**table)


exceptions = {TableLocked: ConflictError}
Config(dialect=Flat(tone="plain"))
Config(dialect=Named("shop"))
Config(dialect={"/v1": "openai", "/v2": OpenAI, "/": Flat(), "/health": None})
Config(dialect=by_header("API-Version", {"1": "openai", "2": Flat}, default="observe"))
Config(dialect={"/v1": by_media_type({"application/vnd.shop.v2+json": "problem"}, "openai"), "/": "observe"})
Config(dialect=by_date("API-Version", {date(2026, 1, 1): "problem"}, "openai"))
Config(dialect=by_date("API-Version", {"2026-01-01": "problem"}, "openai"))
Config(html={"/api": "dialect", "/": "page"}, service_name="Seats")
Config(
    html="application",
    dialect=by_function(lambda request: request.header(b"x-old"), {"1": "openai"}, "problem", vary="X-Old"),
)
Config(catalog=Catalog([ConflictError]))
Config(catalog="shop.errors:catalog")
Config(exceptions=exceptions)
Config(exceptions={TableLocked: translated, KeyError: "conflict", ValueError: lambda error: ConflictError(str(error))})
Config(exceptions={"sqlalchemy.exc:IntegrityError": ConflictError, KeyError: "shop.errors:Taken"})
Config(hold_start=True, trust_inbound=False, redact_exception_text=True, development=False, on_failure=note)
Config(hold_start={"/v1/stream": True})
Config(request_id=RequestIdFormat(prefix="req-", length=10), retry_after={"rate_limited": 10}, max_retry_wait=30)
Config(status_missing=400, status_invalid=None, levels={"conflict": "info", "5xx": "critical"})
Config(redact=["iban"])
Config(redact=("iban",))
Config(redact={"iban"})
Config.load()
Config.load(file="errorkit.toml", environ={"ERRORKIT_DIALECT": "shop.dialect:Flat"}, development=True)

# dialects' own keywords

OpenAI(renames={"internal": "internal_error"}, code_case="kebab", status_missing=422, code_header="X-Code")
Google(domain="invoices.example.com")


def made(kind: type[Dialect]) -> Dialect:
    return kind()


# errors


@errorkit.flask.raises(ConflictError, NotFoundError)
def view(number: int) -> str:
    if number == 1:
        raise ConflictError("Taken.", param="/number", seats=3, context={"row": number}, headers={"X-Plan": "free"})
    if number == 2:
        raise ConflictError(details=[Detail(("number",), "Too small.")], extensions={"params": ["page"]})
    if number == 3:
        raise RateLimitError(retry_after=timedelta(seconds=3), rate_limit=RateLimit(10, 0, reset=3))
    found: str = visible("x", tenant=len, caller=1)
    return found

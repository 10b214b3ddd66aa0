"""Uses that type checkers refuse, at exactly the lines that say so. Checked by test_checkers.py, never run."""

from __future__ import annotations

from fastapi import FastAPI
from flask import Flask
from starlette.applications import Starlette

import errorkit.asgi
import errorkit.fastapi
import errorkit.flask
import errorkit.starlette
import errorkit.wsgi
from errorkit import ConflictError, RateLimitError
from errorkit.choosing import by_function, by_header, by_media_type
from errorkit.config import Config
from errorkit.dialects.google import Google
from errorkit.dialects.openai import OpenAI
from errorkit.settings import Settings

app, plain, site = FastAPI(), Starlette(), Flask(__name__)

# a name that no setting has

app.add_middleware(errorkit.fastapi.ErrorMiddleware, dialct="openai")  # refused, not yet by ty
app.add_middleware(errorkit.starlette.ErrorMiddleware, tenant_statuss=403)  # refused, not yet by ty
app.add_middleware(errorkit.asgi.ErrorMiddleware, normalize="all")  # refused, not yet by ty
errorkit.fastapi.install(app, dialct="openai")  # refused, not yet by ty
errorkit.starlette.install(plain, dialct="openai")  # refused, not yet by ty
errorkit.flask.ErrorKit(site, dialct="openai")  # refused, not yet by ty
errorkit.wsgi.ErrorMiddleware(site.wsgi_app, dialct="openai")  # refused, not yet by ty
Config(dialct="openai")  # refused, not yet by ty
Config.load(dialct="openai")  # refused, not yet by ty

# a dialect that there is not

app.add_middleware(errorkit.fastapi.ErrorMiddleware, dialect="opnai")  # refused
app.add_middleware(errorkit.starlette.ErrorMiddleware, dialect="opnai")  # refused
app.add_middleware(errorkit.asgi.ErrorMiddleware, dialect="opnai")  # refused
errorkit.fastapi.install(app, dialect="OpenAI")  # refused
errorkit.starlette.install(plain, dialect={"/v1": "opnai"})  # refused
errorkit.flask.ErrorKit(site, dialect="opnai")  # refused
errorkit.asgi.ErrorMiddleware(plain, dialect="opnai")  # refused
errorkit.wsgi.ErrorMiddleware(site.wsgi_app, dialect="opnai")  # refused
Config(dialect="opnai")  # refused
Config.load(dialect="opnai")  # refused
Config(dialect="shop.dialect:Flat")  # refused
Config(dialect=None)  # refused
common: Settings = {"dialect": "opnai"}  # refused

# a value of another kind

app.add_middleware(errorkit.fastapi.ErrorMiddleware, tenant_status=405)  # refused
errorkit.starlette.install(plain, tenant_status=405)  # refused
Config(tenant_status="404")  # refused
Config(status_missing="422")  # refused
Config(levels={"404": "loud"})  # refused
Config(levels={404: "debug"})  # refused
Config(normalise="everything")  # refused
Config(redact="iban")  # refused
Config(request_id="req-")  # refused
Config(retry_after={"rate_limited": "10"})  # refused
Config(max_retry_wait="60")  # refused
Config(catalog=ConflictError)  # refused
Config(catalog=[ValueError])  # refused
Config(exceptions={KeyError: ValueError})  # refused
Config(hold_start="/v1")  # refused
Config(on_failure=lambda failure: None)  # refused
Config(development="yes")  # refused
Config(html="pages")  # refused
Config(dialect=lambda request: "openai")  # refused
by_header("API-Version", {"1": "opnai"}, "problem")  # refused
by_media_type({"application/json": "openai"}, "prblem")  # refused
by_function(lambda request: "1", {"1": "openai"}, "problem")  # refused

# another framework

errorkit.fastapi.install(plain)  # refused
errorkit.starlette.install(site)  # refused
errorkit.flask.ErrorKit(app)  # refused

# dialects and errors

OpenAI(rename={"internal": "internal_error"})  # refused
OpenAI(code_case="loud")  # refused
OpenAI(status_missing="422")  # refused
Google(domian="invoices.example.com")  # refused
ConflictError(param=3)  # refused
ConflictError(headers="X-Plan: free")  # refused
ConflictError(extensions=["params"])  # refused
RateLimitError(retry_after="soon")  # refused
RateLimitError(rate_limit=(10, 0))  # refused
errorkit.flask.raises(ValueError)  # refused

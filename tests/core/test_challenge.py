"""What `WWW-Authenticate` says (RFC 9110 section 11.6.1, RFC 6750 section 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from flask import Flask

from errorkit import APIError, AuthenticationError, Challenge, Dialect, ForbiddenError
from errorkit.config import Config, ConfigurationError
from errorkit.dialects import member, text
from errorkit.failure import Public
from errorkit.fastapi import install
from errorkit.flask import ErrorKit


class Expired(AuthenticationError):
    """The token was valid once."""

    code = "expired"
    message = "The token has expired."
    challenge = Challenge(error="invalid_token", scope="orders")


class Own(Dialect):
    """Says the challenge itself."""

    name = "own"
    carries = ("status", "code", "message")

    def write(self, public: Public) -> dict[str, Any]:
        return {"error": self.spell(public.code), "text": public.message}

    def read(self, status: int, headers: Mapping[str, str], body: Any) -> Public:
        return self.public(status, headers, code=text(member(body, "error")), message=text(member(body, "text")))

    def headers(self, public: Public) -> dict[str, str]:
        own = {"WWW-Authenticate": f'Bearer realm="own", error="{public.code}"'} if public.status == 401 else {}
        return {**super().headers(public), **own}


def challenges(error: APIError | type[APIError], **settings: Any) -> list[str]:
    """The fields of two answers, which must be the same: the second one may come from what was prepared."""
    app = FastAPI()
    install(app, catalog=[Expired], **settings)

    @app.get("/")
    def fails() -> None:
        raise error

    client = TestClient(app)
    first, second = (client.get("/").headers.get_list("www-authenticate") for _ in range(2))
    assert first == second
    return first


@pytest.mark.parametrize(
    ("error", "field"),
    [
        (AuthenticationError, 'Bearer realm="api"'),
        (AuthenticationError("Who are you?"), 'Bearer realm="api"'),
        (
            Expired,
            'Bearer realm="api", error="invalid_token", error_description="The token has expired.", scope="orders"',
        ),
        (
            Expired('It "expired" on \u00fc.'),
            'Bearer realm="api", error="invalid_token", error_description="It  expired  on  .", scope="orders"',
        ),
        (
            ForbiddenError(challenge=Challenge(error="insufficient_scope", scope="admin", description="Ask for it.")),
            'Bearer realm="api", error="insufficient_scope", error_description="Ask for it.", scope="admin"',
        ),
        (AuthenticationError(challenge=Challenge(scheme="Basic", realm="shop")), 'Basic realm="shop"'),
        (AuthenticationError(headers={"WWW-Authenticate": "Negotiate"}), "Negotiate"),
    ],
)
def test_the_challenge_of_an_error(error: Any, field: str) -> None:
    assert challenges(error) == [field]


def test_the_realm_is_a_setting() -> None:
    assert challenges(AuthenticationError, realm="invoices") == ['Bearer realm="invoices"']
    flask = Flask("realm")
    ErrorKit(flask, realm="invoices")

    @flask.get("/")
    def fails() -> None:
        raise AuthenticationError

    assert flask.test_client().get("/").headers.getlist("WWW-Authenticate") == ['Bearer realm="invoices"']


def test_a_dialects_own_challenge_stands_alone() -> None:
    assert challenges(AuthenticationError, dialect=Own()) == ['Bearer realm="own", error="unauthenticated"']
    assert challenges(Expired, dialect=Own()) == ['Bearer realm="own", error="expired"']


def test_what_is_concealed_shows_no_challenge_of_its_own() -> None:
    hidden = ForbiddenError(resource_tenant="acme", challenge=Challenge(error="insufficient_scope"))
    assert challenges(hidden) == []


@pytest.mark.parametrize("realm", ["", 'a"b', "ü", "a\nb"])
def test_a_realm_that_cannot_be_sent_stops_the_service(realm: str) -> None:
    with pytest.raises(ConfigurationError, match="realm"):
        Config(realm=realm)


@pytest.mark.parametrize(
    "parts",
    [{"scheme": "Bearer x"}, {"scheme": ""}, {"realm": 'a"'}, {"error": "\\"}, {"scope": "ü"}, {"description": "\n"}],
)
def test_a_challenge_that_cannot_be_sent_is_refused_where_it_is_made(parts: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=next(iter(parts))):
        Challenge(**parts)


def test_what_is_no_challenge_is_refused() -> None:
    with pytest.raises(TypeError, match="challenge= is of type str; use Challenge"):
        AuthenticationError(challenge="Bearer")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="challenge"):
        type("Wrong", (AuthenticationError,), {"code": "wrong", "challenge": "Bearer"})

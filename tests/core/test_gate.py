"""The one gate for values that leave: by type, on the wire and in the log."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections import OrderedDict, deque, namedtuple
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from types import MappingProxyType, SimpleNamespace
from typing import Any
from uuid import UUID

import attrs
import pytest
from pydantic import BaseModel, ConfigDict, Field, RootModel, SecretStr, create_model, field_serializer
from pydantic.dataclasses import dataclass as pydantic_dataclass

from driving import asgi, failures
from errorkit import ConflictError, Detail
from errorkit.asgi import ErrorMiddleware
from errorkit.encoding import encode_line
from errorkit.redaction import SECRET_NAMES, Redactor
from errorkit.texts import WITHHELD
from errorkit.values import loggable, safe


def raising(error: Exception, **settings: Any) -> Any:
    """An ASGI application that raises, under errorkit."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise error

    return ErrorMiddleware(app, **settings)


class Colour(Enum):
    RED = "red"
    ODD = object()


class Word(StrEnum):
    YES = "yes"


class Account(BaseModel):
    name: str
    api_key: str
    at: datetime = datetime(2026, 1, 1)
    hash: str = Field("hidden", exclude=True)
    secret: SecretStr = SecretStr("hidden")
    _private: str = "hidden"


class Further(BaseModel):
    model_config = ConfigDict(extra="allow")
    id: int


class Masked(BaseModel):
    card: str

    @field_serializer("card")
    def mask(self, value: str) -> str:
        return f"...{value[-4:]}"


class Aliased(BaseModel):
    first_name: str = Field(serialization_alias="firstName")


class Listed(RootModel[list[int]]):
    pass


@dataclasses.dataclass
class User:
    email: str
    note: str = dataclasses.field(default="hidden", repr=False)
    _cache: str = "hidden"


@pydantic_dataclass
class Point:
    x: int


@attrs.define
class Place:
    town: str
    secret_note: str = attrs.field(default="hidden", repr=False)


Pair = namedtuple("Pair", "left right")


class Plain:
    def __init__(self, value: Any = "hidden") -> None:
        self.value = value

    def __repr__(self) -> str:
        return "hidden"


class Lazy:
    ran = False

    def __iter__(self) -> Iterator[int]:
        Lazy.ran = True
        return iter([1])


class Proxy:
    """Says of itself that it is a str, as mocks and lazy texts do."""

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return str

    def __str__(self) -> str:
        return "hidden"


FORMS: list[tuple[Any, Any]] = [
    (None, None),
    (True, True),
    (1.5, 1.5),
    (float("inf"), "inf"),
    ("a", "a"),
    (Word.YES, "yes"),
    (Colour.RED, "red"),
    (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00+00:00"),
    (date(2026, 1, 2), "2026-01-02"),
    (timedelta(minutes=1), 60.0),
    (Decimal("1.10"), "1.10"),
    (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    (b"a", "a"),
    ({"a": [1, {"b": ()}]}, {"a": [1, {"b": []}]}),
    (MappingProxyType({"a": 1}), {"a": 1}),
    (OrderedDict(a=1), {"a": 1}),
    ({1: 2, None: 3}, {"1": 2, "null": 3}),
    (deque([1]), [1]),
    (frozenset([1]), [1]),
    ({"a": 1}.keys(), ["a"]),
    (Further(id=1, owner="hidden"), {"id": 1}),
    (Masked(card="4111111111111111"), {"card": "...1111"}),
    (Listed([1, 2]), [1, 2]),
    (User("a@b.c"), {"email": "a@b.c"}),
    (Point(1), {"x": 1}),
    (SecretStr("hidden"), "**********"),
    (Place("Rome"), {"town": "Rome"}),
    (Pair(1, Pair(2, 3)), {"left": 1, "right": {"left": 2, "right": 3}}),
    ([User("a@b.c")], [{"email": "a@b.c"}]),
]
"""Each value and the form that it leaves in."""

WITHOUT: list[Any] = [
    object(), Plain(), Plain, Lazy(), Proxy(), Colour, Colour.ODD, 1j, ValueError("hidden"),
    (item for item in "a"), iter([1]), memoryview(b"hidden"), lambda: "hidden", SimpleNamespace, print, json,
]  # fmt: skip
"""Values of which nothing is shown."""


@pytest.mark.parametrize(("value", "form"), FORMS)
def test_a_type_with_a_documented_form_leaves_in_it(value: Any, form: Any) -> None:
    """On the wire and, where no name is a secret's, in the log."""
    assert safe(value) == form
    assert loggable(value, Redactor(), 100) == form
    reply = asgi(raising(ConflictError(extra=value)))
    assert (reply.status, reply.json()["extra"]) == (409, form)


def test_a_model_is_the_object_that_its_own_serialisation_makes() -> None:
    """Fields that it excludes and private ones are not there, a secret stays one; on the wire under its aliases."""
    account = {"name": "ann", "api_key": "k", "at": "2026-01-01T00:00:00", "secret": "**********"}
    assert safe(Account(name="ann", api_key="k")) == account
    assert safe(Aliased(first_name="ann")) == {"firstName": "ann"}
    assert loggable(Aliased(first_name="ann"), Redactor(), 100) == {"first_name": "ann"}


@pytest.mark.parametrize("value", WITHOUT, ids=lambda value: type(value).__name__)
def test_anything_else_is_a_constant_on_the_wire_and_its_types_name_in_the_log(
    value: Any, log: list[dict[str, Any]]
) -> None:
    """Past the constructor too: as a member, deep inside of one, as message, as param and in a finding."""
    Lazy.ran = False
    error = ConflictError(context={"fact": value, "inner": [{"a": value}]})
    error.extensions = {"extra": value, "inner": [{"a": value}]}
    error.message, error.param = value, value
    error.details = (Detail(("a", value), value, value, value),)
    reply = asgi(raising(error))
    body = reply.json()
    assert reply.status == 409
    assert (body["extra"], body["inner"]) == (WITHHELD, [{"a": WITHHELD}])
    assert body["detail"] == ConflictError.message
    assert "param" not in body
    assert body["errors"] == [{"detail": "", "pointer": "#/a/", "code": "invalid_value"}]
    name = f"<{type(value.value if isinstance(value, Enum) else value).__qualname__}>"
    assert failures(log)[0]["context"] == {"fact": name, "inner": [{"a": name}]}
    assert "hidden" not in reply.body.decode()
    assert not Lazy.ran


@pytest.mark.parametrize(
    "value", [value for value in WITHOUT if not isinstance(value, Enum)], ids=lambda value: type(value).__name__
)  # what an Enum holds is looked at when it is sent
@pytest.mark.parametrize("wrap", [lambda v: v, lambda v: [v], lambda v: {"a": {"b": (v,)}}])
def test_what_could_not_be_sent_is_refused_at_the_raise_site(value: Any, wrap: Any) -> None:
    """With the member's name and the type's, never with the value's own words."""
    with pytest.raises(TypeError, match="'extra' holds a") as refused:
        ConflictError("words", extra=wrap(value))
    assert "hidden" not in str(refused.value)
    with pytest.raises(TypeError):
        ConflictError("words", extra={(1, 2): 3})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"message": ValueError("hidden")}, "message= is of type ValueError"),
        ({"message": 7}, "message= is of type int"),
        ({"param": ["hidden"]}, "param= is of type list"),
        ({"details": ["hidden"]}, "details= is of type str"),
        ({"details": [{"path": ["a"]}]}, "details= is of type dict"),
        ({"headers": [("X-A", "hidden")]}, "headers= is of type list"),
    ],
)
def test_an_argument_of_the_wrong_type_is_refused_at_the_raise_site(arguments: Any, words: str) -> None:
    """The line that is wrong is the one that raises."""
    with pytest.raises(TypeError, match=words) as refused:
        ConflictError(**arguments)
    assert "hidden" not in str(refused.value)


def test_a_type_that_hides_its_name_has_none(log: list[dict[str, Any]]) -> None:
    """Nothing in a value can break the line that tells of it."""

    class Meta(type):
        def __getattribute__(cls, name: str) -> Any:
            if name == "__qualname__":
                raise ValueError("hidden")
            return super().__getattribute__(name)

    class Odd(metaclass=Meta):
        pass

    asgi(raising(ConflictError(context={"fact": Odd()})))
    assert failures(log)[0]["context"] == {"fact": "<object>"}


def test_an_applications_own_lines_keep_their_texts() -> None:
    """Of what JSON has not, where the line can be written at once; else its type's name."""
    assert encode_line({"a": Plain("x"), "b": ValueError("words")}) == b'{"a":"hidden","b":"words"}'
    assert json.loads(encode_line({"a": Plain("x"), "b": "\ud800", "password": "p"})) == {
        "a": "<Plain>", "b": "\ufffd", "password": "p",
    }  # fmt: skip


# -- redaction

NAMES = [
    "password", "userPassword", "PASSWORD_HASH", "passwd", "pwd", "pass", "passphrase", "accessKey", "privateKey",
    "private key", "accesskeyid", "AWS_SECRET_ACCESS_KEY", "X-Api-Key", "APIKey", "apiKeys", "cardNumber",
    "card number", "jwt", "bearer", "auth", "Authorization", "Proxy-Authorization", "otp", "dsn", "sentryDsn",
    "connection_string", "DATABASE_URL", "Set-Cookie", "sessionId", "csrfToken", "x-xsrf-token", "pin", "pin1", "cvc",
    "ssn", "clientSecret", "refresh_token", "credentials",
]  # fmt: skip
OPEN = [
    "author",
    "passenger",
    "compass",
    "spinning",
    "opinion",
    "authority",
    "name",
    "key",
    "codes",
    "shipping",
    "keys",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_secrets_name_is_known_in_every_spelling(name: str, log: list[dict[str, Any]]) -> None:
    """Snake, camel, kebab, spaced and solid."""
    asgi(raising(ConflictError(context={"facts": [{name: "S4711"}]})))
    assert failures(log)[0]["context"] == {"facts": [{name: "[redacted]"}]}


@pytest.mark.parametrize("name", OPEN)
def test_other_names_are_not_taken_for_secrets(name: str) -> None:
    """A short word counts as a word alone."""
    assert not Redactor().secret(name)


def test_every_published_name_is_redacted_and_one_can_add_more() -> None:
    """The list is what docs/events.md shows."""
    assert [name for name in SECRET_NAMES if not Redactor().secret(name)] == []
    assert Redactor(["iban", "Tax-Number"]).secret("customerIban")
    assert Redactor(["iban", "Tax-Number"]).secret("tax_number")
    assert Redactor().secret("x" * 10_000)  # nobody looks at all of it


@pytest.mark.parametrize(
    "value",
    [
        Account(name="ann", api_key="S4711"),
        {"account": Account(name="ann", api_key="S4711")},
        create_model("Row", k=(str, Field(alias="X-Api-Key")))(**{"X-Api-Key": "S4711"}),
        create_model("Row", k=(str, Field(serialization_alias="token")))(k="S4711"),
        [[Account(name="ann", api_key="S4711")]],
        dataclasses.make_dataclass("Row", ["api_key"])("S4711"),
        namedtuple("Row", "api_key")("S4711"),
        SimpleNamespace(api_key="S4711"),
        argparse.Namespace(api_key="S4711"),
        attrs.make_class("Row", ["api_key"])("S4711"),
        [("authorization", "Bearer S4711"), ("accept", "*/*")],
        [(b"cookie", b"S4711")],
        [["X-Api-Key", "S4711"]],
        {"headers": [{"name": "Authorization", "value": "S4711"}]},
        {"query": [{"key": "token", "value": "S4711"}]},
        "https://user:S4711@host/path",
        "postgresql+psycopg://u:S4711@db:5432/x?sslmode=require",
        "redis://:S4711@host",
        "amqp://u:S47/11#S4711@host",
        "see https://host/?a=1&api_key=S4711&b=2 and others",
    ],
    ids=lambda value: type(value).__name__,
)
def test_redaction_sees_through_objects_pairs_and_urls(value: Any, log: list[dict[str, Any]]) -> None:
    """Whatever shape holds the secret."""
    asgi(raising(ConflictError(context={"fact": value})))
    assert "S4711" not in json.dumps(failures(log)[0])
    assert "[redacted]" in json.dumps(failures(log)[0]["context"])


def test_what_is_redacted_leaves_the_rest_as_it_is() -> None:
    """Neither a URL without credentials nor an address is touched."""
    for text in ("https://host/a?b=c#d", "ann@example.com", "https://host/?q=a@b", "a://b", "x=1&token=2"):
        assert loggable(text, Redactor(), 100) == text


def test_an_exceptions_words_hold_no_credentials_either(log: list[dict[str, Any]]) -> None:
    """In the error, in its causes and in notes."""
    cause = ConnectionError("cannot reach https://u:S4711@host/")
    cause.add_note("tried https://u:S4711@other/")
    error = RuntimeError("https://host/?password=S4711")
    error.__cause__ = cause
    asgi(raising(error))
    event = failures(log)[0]
    assert "S4711" not in json.dumps(event)
    assert event["error"] == "https://host/?password=[redacted]"


def test_statements_parameters_are_not_logged(log: list[dict[str, Any]]) -> None:
    """SQLAlchemy quotes them in its messages."""
    from sqlalchemy import create_engine, text
    from sqlalchemy.exc import IntegrityError

    with create_engine("sqlite://").connect() as connection:
        connection.execute(text("create table a (b text unique)"))
        connection.execute(text("insert into a values (:b)"), {"b": "S4711"})
        with pytest.raises(IntegrityError) as caught:
            connection.execute(text("insert into a values (:b)"), {"b": "S4711"})
    asgi(raising(caught.value))
    event = failures(log)[0]
    assert "S4711" not in json.dumps(event)
    assert "UNIQUE constraint failed: a.b" in event["error"]
    assert "insert into a" in event["error"]

"""A validator's findings: words by their type, paths in the client's names, nothing of what was submitted."""

from __future__ import annotations

import dataclasses
import json
from decimal import Decimal
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import pytest
from fastapi import Body, FastAPI, Form, Query
from flask import Flask, request
from pydantic import (
    AfterValidator,
    AliasChoices,
    Base64Str,
    BaseModel,
    BeforeValidator,
    ByteSize,
    ConfigDict,
    Field,
    ImportString,
    Json,
    TypeAdapter,
    WrapValidator,
    create_model,
)
from pydantic import ValidationError as Rejected
from pydantic_core import PydanticCustomError, PydanticKnownError
from pydantic_core._pydantic_core import list_all_errors
from typing_extensions import TypedDict

from driving import asgi, failures, wsgi
from errorkit.failure import fragment, unfragment
from errorkit.fastapi import install
from errorkit.finding_paths import client_path, declared_names
from errorkit.finding_words import UNKNOWN_WORDS, WORDS, repeats, words_of
from errorkit.flask import ErrorKit, validate
from errorkit.validation import MAX_FINDINGS, as_error, details_of

CANARY = "Kanarienvogel4711"
TYPES = {each["type"]: each for each in list_all_errors()}
DIALECTS = ("problem", "openai", "kaiko")


def posted(app: Any, body: Any, path: str = "/") -> Any:
    raw = json.dumps(body).encode()
    headers = [("content-type", "application/json"), ("content-length", str(len(raw)))]
    return asgi(app, "POST", path, headers, body=raw)


def taking(annotation: Any, **settings: Any) -> Any:
    """An application whose body is of a type."""
    app = FastAPI()
    install(app, **settings)

    def endpoint(body: Any) -> int:
        return 1

    endpoint.__annotations__["body"] = annotation
    app.post("/", response_model=None)(endpoint)
    return app


def pointers(annotation: Any, body: Any) -> list[str]:
    return [finding["pointer"] for finding in posted(taking(annotation), body).json()["errors"]]


# -- words


def test_every_type_of_pydantics_own_table_has_words() -> None:
    """For the version that is installed; an unknown one would say `Input is invalid`."""
    assert sorted(set(TYPES) - set(WORDS)) == []


def raising_type(kind: str) -> Any:
    """A type whose validator finds an error of that type in everything, and names what was submitted wherever it can."""

    def refuse(value: Any) -> Any:
        given = TYPES[kind]["example_context"] or {}
        context = {name: CANARY if isinstance(each, str) else each for name, each in given.items()}
        if kind in ("value_error", "assertion_error"):
            raise ValueError(CANARY) if kind == "value_error" else AssertionError(CANARY)
        raise PydanticKnownError(kind, context or None)  # type: ignore[arg-type]

    return create_model("Body", f=(Annotated[str, BeforeValidator(refuse)], ...))


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("kind", [kind for kind in TYPES if kind != "missing_sentinel_error"])
def test_no_type_of_finding_repeats_what_was_submitted(kind: str, dialect: str, log: list[dict[str, Any]]) -> None:
    """Every one that pydantic has, driven with a canary as the value and in its message: body, header fields, log."""
    reply = posted(taking(raising_type(kind), dialect=dialect), {"f": CANARY})
    assert reply.status in (400, 422)
    assert CANARY not in f"{reply.headers} {reply.body.decode()} {log}"
    assert len(failures(log)) == 1


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    legs: int


def of_author(value: Any) -> Any:
    raise ValueError(f"{value} is no good")


def part_of_it(value: Any) -> Any:
    raise ValueError(f"unknown unit {value[3:]}")


def custom(value: Any) -> Any:
    raise PydanticCustomError("mine", "not {value}", {"value": value})


REPEATING: dict[str, tuple[Any, Any]] = {
    "time zone": (ZoneInfo, CANARY),
    "size": (ByteSize, "12" + CANARY),
    "import": (ImportString, f"{CANARY}.x"),
    "import of a member": (ImportString, f"os.{CANARY}"),
    "base64": (Base64Str, f"%{CANARY}"),
    "key of a dict": (dict[str, int], {CANARY: "x"}),
    "key that is no number": (dict[int, int], {CANARY: 1}),
    "key in a dict in a list": (list[dict[str, dict[str, int]]], [{"a": {CANARY: "x"}}]),
    "further member": (Closed, {CANARY: 1}),
    "tag": (Annotated[Cat | Dog, Field(discriminator="kind")], {"kind": CANARY}),
    "author's validator": (Annotated[str, AfterValidator(of_author)], CANARY),
    "author's validator, a part": (Annotated[str, AfterValidator(part_of_it)], CANARY),
    "author's own type": (Annotated[str, AfterValidator(custom)], CANARY),
    "short value": (Annotated[str, AfterValidator(of_author)], "4711"),
    "enum": (Literal["a", "b"], CANARY),
    "date": (__import__("datetime").date, CANARY),
    "uuid": (__import__("uuid").UUID, CANARY),
    "json": (Json, "{" + CANARY),
}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", REPEATING)
def test_what_was_submitted_is_not_repeated(name: str, dialect: str, log: list[dict[str, Any]]) -> None:
    """By pydantic's own types and by an author's validators, as a value and as a name."""
    annotation, value = REPEATING[name]
    model = create_model("Body", __config__=ConfigDict(arbitrary_types_allowed=True), f=(annotation, ...))
    reply = posted(taking(model, dialect=dialect), {"f": value})
    assert reply.status in (400, 422)
    (event,) = failures(log)
    ident = event.pop("request_id")  # random digits, as those of the duration: some of them may be these
    del event["duration_ms"]
    for part in (CANARY, CANARY[3:], "4711"):
        assert part not in f"{reply.body.decode()} {event}".replace(ident, "")


def words_for(annotation: Any, value: Any) -> list[str]:
    try:
        TypeAdapter(annotation).validate_python(value)
    except Rejected as rejected:
        return [words_of(error) for error in rejected.errors()]
    raise AssertionError("not refused")


@pytest.mark.parametrize(
    ("annotation", "value", "words"),
    [
        (int, "x", "Input should be a valid integer, unable to parse string as an integer"),
        (Annotated[str, Field(min_length=12)], "short", "String should have at least 12 characters"),
        (Annotated[str, Field(max_length=1)], "short", "String should have at most 1 character"),
        (Annotated[int, Field(gt=3)], 3, "Input should be greater than 3"),
        (Annotated[float, Field(le=-1.5)], 3, "Input should be less than or equal to -1.5"),
        (Annotated[Decimal, Field(max_digits=2)], "123", "Decimal input should have no more than 2 digits in total"),
        (Annotated[list[int], Field(max_length=1)], [1, 2], "List should have at most 1 item after validation, not 2"),
        (Literal["cat", "dog"], "cow", "Input should be 'cat' or 'dog'"),
        (Annotated[str, Field(pattern="^a+$")], "b", "String should match pattern '^a+$'"),
        (Annotated[Cat | Dog, Field(discriminator="kind")], {}, "Unable to extract tag using discriminator 'kind'"),
        (Cat, [], "Input should be an object"),
        (Annotated[str, AfterValidator(lambda v: (_ for _ in ()).throw(ValueError("not a good time")))], "x",
         "Value error, not a good time"),
    ],
)  # fmt: skip
def test_what_the_schema_asks_for_is_told(annotation: Any, value: Any, words: str) -> None:
    """Limits, choices and an author's words, as pydantic tells them."""
    assert words_for(annotation, value) == [words]


def test_words_that_cannot_be_compared_with_what_was_submitted_are_not_told() -> None:
    """An author's, without the input at hand or with one too large; words in another form than the type's own."""
    finding = {"type": "value_error", "loc": (), "msg": "Value error, not a good time"}
    assert words_of(finding) == UNKNOWN_WORDS
    assert words_of({**finding, "input": 7}) == finding["msg"]
    assert words_of({**finding, "input": ["x" * 5000]}) == UNKNOWN_WORDS
    assert words_of({**finding, "input": 7, "msg": "The GOOD time"}) == UNKNOWN_WORDS
    assert words_of({"type": "greater_than", "msg": f"Input should be greater than {CANARY}"}) == WORDS["greater_than"]
    assert words_of({"type": "their_own", "msg": "words"}) == UNKNOWN_WORDS
    assert words_of({"type": "int_type", "msg": None}) == WORDS["int_type"]
    assert words_of({}) == UNKNOWN_WORDS


@pytest.mark.parametrize(
    ("message", "submitted", "repeated"),
    [
        ("no such user: anna", "anna", True),
        ("no such user: Anna Bell", "anna bell", True),
        ("No such thing", "thing", True),
        ("the pin 47 is wrong", 47, True),
        ("not 'x'", "x", True),
        ("deep: canary", [{"a": ("canary",)}], True),
        ("deep: canary", {"canary": 1}, True),
        ("bytes: canary", b"canary", True),
        ("something else", "canary", False),
        ("a good time", {"when": "x", "n": 1.5, "flag": True, "none": None}, False),
        ("", "", False),
    ],
)
def test_a_repetition_is_found(message: str, submitted: Any, repeated: bool) -> None:
    """Whole short words, six characters in a row of longer ones; in members' names too."""
    assert repeats(message, submitted) is repeated


# -- paths


class Card(BaseModel):
    number: int


class Iban(BaseModel):
    iban: int


class Node(BaseModel):
    value: int
    next: Node | None = None


class Alias(BaseModel):
    a: int = Field(alias="first name")
    b: int = Field(validation_alias=AliasChoices("größe", "size"))


class Typed(TypedDict):
    count: int


@dataclasses.dataclass
class Data:
    count: int


def checked(value: Any, handler: Any) -> Any:
    return handler(value)


@pytest.mark.parametrize(
    ("annotation", "value", "where"),
    [
        (Card | Iban, {"number": "x"}, ["#/f/number", "#/f/iban"]),
        (int | bool, "x", ["#/f", "#/f"]),
        (Card | int, "x", ["#/f", "#/f"]),
        (Annotated[Cat | Dog, Field(discriminator="kind")], {"kind": "cat", "lives": "x"}, ["#/f/lives"]),
        (Annotated[Cat | Dog, Field(discriminator="kind")], {"kind": "cat"}, ["#/f/lives"]),
        (Annotated[Card, WrapValidator(checked)] | None, {"number": "x"}, ["#/f/number"]),
        (Annotated[Card, WrapValidator(checked)] | Iban, {"iban": "x"}, ["#/f/number", "#/f/iban"]),
        (set[int], [1, "x"], ["#/f/1"]),
        (list[Card | Iban], [{"number": 1}, {"iban": "x"}], ["#/f/1/number", "#/f/1/iban"]),
        (tuple[int, str], [1, 2], ["#/f/1"]),
        (dict[str, int], {"a": "x"}, ["#/f"]),
        (dict[int, int], {"a": 1}, ["#/f"]),
        (dict[str, Card], {"a": {"number": "x"}}, ["#/f"]),
        (Node, {"value": 1, "next": {"value": 2, "next": {"value": "x"}}}, ["#/f/next/next/value"]),
        (Alias, {"first name": "x", "größe": "y"}, ["#/f/first%20name", "#/f/gr%C3%B6%C3%9Fe"]),
        (Alias, {"first name": 1, "size": "y"}, ["#/f/size"]),
        (Typed, {"count": "x"}, ["#/f/count"]),
        (Data, {"count": "x"}, ["#/f/count"]),
        (Data | Card, {"count": "x"}, ["#/f/count", "#/f/number"]),
        (Json[Card], '{"number": "x"}', ["#/f"]),
        (Closed, {"zz": 1}, ["#/f"]),
    ],
)  # fmt: skip
def test_a_path_speaks_the_clients_names(annotation: Any, value: Any, where: list[str]) -> None:
    """No member of a union, no tag, no validator, no name that the client made up; a missing member has its name."""
    model = create_model("Body", f=(annotation, ...))
    assert pointers(model, {"f": value}) == where


def test_parameters_have_one_name_and_indices() -> None:
    """Query, header, cookie and path: pydantic's names of what they may be are not the client's."""
    app = FastAPI()
    install(app)

    @app.get("/")
    def endpoint(flag: int | bool, ids: Annotated[list[int], Query()]) -> None: ...

    body = asgi(app, path="/", query_string=b"flag=x&ids=1&ids=y").json()
    assert [(each["location"], each["pointer"]) for each in body["errors"]] == [
        ("query", "#/flag"), ("query", "#/flag"), ("query", "#/ids/1"),
    ]  # fmt: skip


def test_forms_and_several_bodies_keep_their_names() -> None:
    """Members of a form, and of a body that several parameters make."""
    app = FastAPI()
    install(app)

    @app.post("/form")
    def form(name: Annotated[int, Form()], meta: Annotated[Json, Form()]) -> None: ...

    @app.post("/two")
    def two(card: Card, note: Annotated[int, Body()]) -> None: ...

    raw = b"name=x&meta={x"
    headers = [("content-type", "application/x-www-form-urlencoded"), ("content-length", str(len(raw)))]
    body = asgi(app, "POST", "/form", headers, body=raw).json()
    assert [each["pointer"] for each in body["errors"]] == ["#/name", "#/meta"]
    body = posted(app, {"card": {"number": "x"}, "note": "y"}, "/two").json()
    assert [each["pointer"] for each in body["errors"]] == ["#/card/number", "#/note"]


def test_flasks_validate_knows_the_schema_and_the_data() -> None:
    """As FastAPI's bodies do."""
    app = Flask(__name__)
    ErrorKit(app)

    class Pay(BaseModel):
        method: Card | Iban
        rates: dict[str, int]

    @app.post("/")
    def view() -> Any:
        return str(validate(Pay, request.get_json()))

    raw = json.dumps({"method": {"number": "x"}, "rates": {CANARY: "x"}}).encode()
    reply = wsgi(app, "POST", headers=[("content-type", "application/json")], body=raw)
    assert [each["pointer"] for each in reply.json()["errors"]] == ["#/method/number", "#/method/iban", "#/rates"]
    assert CANARY not in reply.body.decode()


@pytest.mark.parametrize(
    ("loc", "kind", "path"),
    [
        (("a", "function-wrap[check()]", "n"), "int_type", ("a", "n")),
        (("a", "lax-or-strict[lax=int,strict=str]"), "int_type", ("a",)),
        (("a", "list[int]", 0), "int_type", ("a", 0)),
        (("a", "constrained-str"), "string_type", ("a",)),
        (("a", "int"), "int_parsing", ("a",)),
        (("a", "int"), "missing", ("a", "int")),
        (("a", "secret", "[key]"), "int_parsing", ("a",)),
        (("a", "secret"), "extra_forbidden", ("a",)),
        (("tags[]", "user[name]", "is-active"), "int_type", ("tags[]", "user[name]", "is-active")),
        ((1.5, None, "a", True), "int_type", ("a",)),
        ("nothing", "int_type", ()),
        (tuple("abc") * 50, "int_type", (tuple("abc") * 50)[:32]),
    ],
)
def test_what_can_be_told_without_the_data_is(loc: Any, kind: str, path: Any) -> None:
    """Of findings that somebody passes on: pydantic's own labels go, what may be a member stays."""
    assert client_path({"loc": loc, "type": kind}) == path


def test_names_that_a_schema_does_not_know_are_left_out_without_the_data_too() -> None:
    """Every name and alias in it is known, whatever it is nested in."""
    names = declared_names(TypeAdapter(list[Node | Alias | Typed | Data]).core_schema)
    assert names == {"value", "next", "a", "first name", "b", "größe", "size", "count"}
    assert client_path({"loc": ("next", "Node", "value"), "type": "int_type"}, declared=names) == ("next", "value")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("items", 0, "name"), "#/items/0/name"),
        (("first name",), "#/first%20name"),
        (("größe",), "#/gr%C3%B6%C3%9Fe"),
        (("50%25",), "#/50%2525"),
        (("a/b~c", '"'), "#/a~1b~0c/%22"),
        (("\ud800",), "#/?"),
        ((), "#"),
    ],
)
def test_a_pointer_in_a_fragment_is_percent_encoded(path: Any, text: str) -> None:
    """RFC 6901 section 6, and back."""
    assert fragment(path) == text
    if "\ud800" not in path:
        assert unfragment(text) == path


# -- the whole


def test_json_in_a_field_is_a_finding_and_a_body_that_is_none_is_malformed() -> None:
    """422 with its place, beside the other findings; 400 for the body itself alone."""
    model = create_model("Body", f=(Json, ...), n=(int, ...))
    reply = posted(taking(model), {"f": "{", "n": "x"})
    assert (reply.status, reply.json()["code"]) == (422, "validation_failed")
    assert [(each["pointer"], each["detail"]) for each in reply.json()["errors"]] == [
        ("#/f", "Input should be valid JSON"), ("#/n", WORDS["int_parsing"]),
    ]  # fmt: skip
    assert posted(taking(list[Json]), ["{"]).json()["errors"][0]["pointer"] == "#/0"
    reply = asgi(taking(model), "POST", "/", [("content-type", "application/json"), ("content-length", "1")], body=b"{")
    assert (reply.status, reply.json()["code"]) == (422, "malformed_json")  # as FastAPI answers it
    findings = [{"type": "json_invalid", "loc": (), "msg": "Invalid JSON: x"}]
    assert as_error(findings, field_codes={}, location="body").code == "malformed_json"
    assert as_error(findings, field_codes={}, location="query").code == "validation_failed"
    assert as_error([{"type": "json_invalid", "loc": 7}], field_codes={}).code == "validation_failed"


@pytest.mark.parametrize("dialect", ["problem", "openai", "stripe"])
def test_how_many_findings_there_are_is_told(dialect: str) -> None:
    """Also where they are more than are listed."""
    body = posted(taking(list[int], dialect=dialect), ["x"] * 1000).body.decode()
    assert f"1000 fields are invalid; the first {MAX_FINDINGS} are listed." in body
    assert "100 fields are invalid." in posted(taking(list[int], dialect=dialect), ["x"] * 100).body.decode()


def test_findings_that_somebody_made_up_are_answered() -> None:
    """`RequestValidationError(["text"])`, and mappings of anything."""
    from fastapi.exceptions import RequestValidationError

    app = FastAPI()
    install(app)

    @app.get("/")
    def endpoint() -> None:
        raise RequestValidationError(
            ["text", {}, {"loc": 3, "type": 4, "msg": 5}, {"loc": ("body", CANARY), "type": "x"}]
        )

    reply = asgi(app)
    assert reply.status == 422
    assert [each["detail"] for each in reply.json()["errors"]] == [UNKNOWN_WORDS] * 4
    assert details_of([], field_codes={}) == ()


def test_words_of_a_library_that_repeat_a_piece_are_not_told() -> None:
    """As those of an e-mail address's checker: the type is an author's, the words are not in an author's form."""
    words = "value is not a valid email address: The part before the @-sign is no good: 'Kanarien'"
    finding = {"type": "value_error", "loc": ("mail",), "msg": words, "input": f"{CANARY} at home"}
    assert words_of(finding) == UNKNOWN_WORDS


@pytest.mark.parametrize(
    ("loc", "submitted", "path"),
    [
        (("a", 5), {"a": [1]}, ("a",)),
        (("a", -1), {"a": [1]}, ("a",)),
        ((7, "a"), {"a": 1}, ("a",)),
        (("a", 0), {"a": "text"}, ("a", 0)),
        ((0, "a"), [{"a": 1}], (0, "a")),
        (("a", "b"), {"a": None}, ("a",)),
    ],
)
def test_what_the_data_does_not_have_is_left_out(loc: Any, submitted: Any, path: Any) -> None:
    """Indices and names; of a form, whose repeated members look like one, the index stays."""
    assert client_path({"loc": loc, "type": "int_type"}, submitted=submitted) == path


def test_a_schema_is_walked_once_however_it_refers_to_itself() -> None:
    """And what is no name in it is passed over."""
    schema: dict[Any, Any] = {
        "fields": {"a": {"validation_alias": [["b", 0], "c"]}, 1: {}},
        "more": [{"fields": ["x"]}],
    }
    schema["self"] = schema
    assert declared_names(schema) == {"a", "b", "c"}


def test_json_of_another_place_than_the_body_is_a_finding() -> None:
    """A query parameter's, say."""
    finding = {"type": "json_invalid", "loc": ("query", "filter"), "msg": "Invalid JSON: x"}
    assert as_error([finding], field_codes={}).details[0].location == "query"

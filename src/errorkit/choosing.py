"""Dialects by request, so that old clients keep the old body: choosers for `dialect=`.

    dialect=by_header("API-Version", {"1": "openai", "2": "problem"}, default="openai")

A chooser names every dialect that it can give, so that each is proven at start-up and described in OpenAPI, and the
header fields that it looks at, for `Vary`. In the place of a dialect `"observe"` may stand: such a client gets what the
application says by itself. It is asked when an error is answered; a success costs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeVar

from errorkit.accept import media_ranges, weight
from errorkit.configuration_error import ConfigurationError, shown
from errorkit.dialects import Dialect, as_dialect
from errorkit.events import last_resort
from errorkit.exchange import Request, raw_header
from errorkit.signatures import refuses

if TYPE_CHECKING:  # pragma: no cover - types only
    from errorkit.settings import OneChoice

__all__ = ["OBSERVE", "Chooser", "by_date", "by_function", "by_header", "by_media_type"]

OBSERVE: Final = "observe"
"""In the place of a dialect: bodies stay as the application makes them; request ID and event are there."""

K = TypeVar("K")

Spoken = Dialect | Literal["observe"]
_DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[.-][\w.-]*)?", re.ASCII).fullmatch
"""A date, and the name of a version behind it: `2024-09-30.acacia`, `2024-05-01-preview`."""


class Chooser:
    """A function of the request, and what it can choose: made by the functions of this module.

    name: as it was made, for people. choose: gives a key of the table, or None for the default.
    vary: the names of the request's header fields that decide.
    """

    def __init__(
        self,
        name: str,
        choose: Callable[[Request], Any],
        table: Mapping[Any, Spoken],
        default: Spoken,
        vary: tuple[str, ...],
    ) -> None:
        self.name = name
        self._choose = choose
        self._table = table
        self.default = default
        self.vary = vary

    @property
    def choices(self) -> tuple[Spoken, ...]:
        """All that it can choose, each once, the default first."""
        return tuple({id(each): each for each in (self.default, *self._table.values())}.values())

    def __call__(self, request: Request) -> Spoken:
        """What is spoken to a request. Never raises: where it cannot choose it is the default, and a line says why."""
        try:
            key = self._choose(request)
            return self.default if key is None else self._table[key]
        except KeyError as error:
            last_resort(f"{self.name} gave a key that its table does not have; the default was taken", error)
        except Exception as error:
            last_resort(f"{self.name} failed; the default dialect was taken", error)
        return self.default


def by_header(name: str, table: Mapping[str, OneChoice], default: OneChoice) -> Chooser:
    """By the value of a request header: `by_header("API-Version", {"1": "openai"}, default="problem")`.

    A value that the table does not have, no field at all: the default. Values are compared as they are, without the
    space around them.

    Raises ConfigurationError for what is no name of a field, no dialect, or an empty table.
    """
    called = f"by_header({name!r})"
    field = _field(called, name)
    spoken = _table(called, table, default)
    by_value = {_text(called, key).strip(): choice for key, choice in spoken.table.items()}

    def choose(request: Request) -> str | None:
        value = (request.header(field) or "").strip()
        return value if value in by_value else None

    return Chooser(called, choose, by_value, spoken.default, (name,))


def by_media_type(table: Mapping[str, OneChoice], default: OneChoice) -> Chooser:
    """By the media type that `Accept` asks for: `{"application/vnd.shop.v1+json": "openai"}` (RFC 9110 section 12.5.1).

    Chosen is a type that the client names, parameters included, prefers to the other ones of the table, and does not
    put below the default's own. A range such as `*/*` names nothing.

    Raises ConfigurationError for what is no media type, no dialect, or an empty table.
    """
    called = "by_media_type()"
    spoken = _table(called, table, default)
    by_type: dict[tuple[str, str, Any], tuple[str, Spoken]] = {}
    for key, choice in spoken.table.items():
        parsed = media_ranges(_text(called, key))
        if len(parsed) != 1 or "*" in parsed[0][:2] or parsed[0].weight != 1:
            raise ConfigurationError.of(
                f"dialect.{called}", key, "this is no media type; use for example 'application/vnd.shop.v2+json'"
            )
        by_type[parsed[0][:3]] = (key, choice)
    own = "" if spoken.default == OBSERVE else spoken.default.media_type

    def choose(request: Request) -> str | None:
        accept = request.header(b"accept")
        if not accept:
            return None
        ranges = media_ranges(accept)
        named = [(each.weight, by_type[each[:3]][0]) for each in ranges if each[:3] in by_type]
        order = list(spoken.table)
        best = max(named, key=lambda pair: (pair[0], -order.index(pair[1])), default=(0.0, ""))
        return best[1] if best[0] > 0 and best[0] >= weight(ranges, own) else None

    return Chooser(called, choose, dict(by_type.values()), spoken.default, ("Accept",))


def by_date(name: str, table: Mapping[K, OneChoice], default: OneChoice) -> Chooser:
    """By the date in a request header, as versions are named by dates: each entry holds from its date on.

    `by_date("API-Version", {"2026-01-01": "problem"}, default="openai")`: who asks for a version of that day or later
    gets problem details. An earlier date, no field, what is no date (`YYYY-MM-DD`, a version's name may follow):
    the default.

    Raises ConfigurationError for what is no name of a field, no date, no dialect, or an empty table.
    """
    called = f"by_date({name!r})"
    field = _field(called, name)
    spoken = _table(called, table, default)
    by_day: dict[date, Spoken] = {}
    for key, choice in spoken.table.items():
        day = date(key.year, key.month, key.day) if isinstance(key, date) else _date(str(key))
        if day is None:
            raise ConfigurationError.of(f"dialect.{called}", key, "this is no date; use for example '2026-01-31'")
        by_day[day] = choice
    days = sorted(by_day, reverse=True)

    def choose(request: Request) -> date | None:
        asked = _date((request.header(field) or "").strip())
        return None if asked is None else next((day for day in days if day <= asked), None)

    return Chooser(called, choose, by_day, spoken.default, (name,))


def by_function(
    function: Callable[[Request], K | None],
    table: Mapping[K, OneChoice],
    default: OneChoice,
    *,
    vary: str | Iterable[str],
) -> Chooser:
    """By a function of your own: `(request) -> a key of the table, or None` for the default.

    The request has `method`, `path` and `header(b"name-in-lower-case")`; the function may not wait for anything.
    vary: the names of the header fields that it looks at; `"*"` where something else decides (RFC 9110 section 12.5.5),
    `()` where nothing but the path does. Where the function raises, or gives a key that the table does not have, the
    default is taken, and a line at error level says so.

    Raises ConfigurationError for a function that cannot be called so, what is no dialect, or an empty table.
    """
    named = shown(function)
    called = f"by_function({named})"
    if not callable(function) or isinstance(function, type):
        raise ConfigurationError.of(f"dialect.{called}", function, "this is no function of the request; give one")
    why = refuses(function, 1)
    if why is not None or iscoroutinefunction(function):
        why = "it is a coroutine; let it be a plain function" if why is None else f"{why}; let it take the request"
        raise ConfigurationError.of(f"dialect.{called}", function, f"it is called with the request: {why}")
    names = (vary,) if isinstance(vary, str) else tuple(vary)
    for name in names:
        if name != "*":
            _field(called, name)
    spoken = _table(called, table, default)
    return Chooser(called, function, spoken.table, spoken.default, names)


def told(spoken: Spoken | Chooser | None) -> str | None:
    """What is spoken under a prefix, for the line at start-up."""
    return spoken.name if isinstance(spoken, (Dialect, Chooser)) else spoken


class _Table(NamedTuple):
    """What was given, the dialects in the place of their names: one for each name."""

    table: Mapping[Any, Spoken]
    default: Spoken


def _table(called: str, table: Any, default: Any) -> _Table:
    if not isinstance(table, Mapping) or not table:
        raise ConfigurationError.of(f"dialect.{called}", table, "use a mapping, for example {'1': 'openai'}")
    made: dict[str, Dialect] = {}

    def spoken(place: str, value: Any) -> Spoken:
        if value == OBSERVE:
            return OBSERVE
        try:
            if not isinstance(value, str):
                return as_dialect(value)
            if value not in made:
                made[value] = as_dialect(value)
            return made[value]
        except ConfigurationError:
            raise
        except ValueError as error:
            raise ConfigurationError.of(f"dialect.{called}{place}", value, str(error)) from None

    return _Table({key: spoken(f"[{shown(key)}]", value) for key, value in table.items()}, spoken(".default", default))


def _field(called: str, name: Any) -> bytes:
    """A header field's name in lower case."""
    pair = raw_header(name, "") if isinstance(name, str) else None
    if pair is None:
        raise ConfigurationError.of(
            f"dialect.{called}", name, "this is no name of a header field; use letters and dashes: 'API-Version'"
        )
    return pair[0]


def _text(called: str, key: Any) -> str:
    if not isinstance(key, str) or not key.strip():
        raise ConfigurationError.of(f"dialect.{called}", key, f"a key of it is a text; write '{key}'")
    return key


def _date(text: str) -> date | None:
    found = _DATE(text)
    try:
        return None if found is None else date.fromisoformat(found[1])
    except ValueError:
        return None

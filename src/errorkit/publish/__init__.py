"""Everything that is generated from one catalogue and one dialect.

A generator is a function

    def generate(catalog: Catalog, dialect: Dialect, options: Options) -> Files: ...

that returns the files it would write: relative path (with `/`) to text, which ends with a
newline. It reads and writes nothing itself, raises ValueError for options it cannot use,
and gives the same files for the same input, so that `--check` can compare them with what
has been written.

`GENERATORS` is the one place that knows them: the words of the command line to
`"module:function"`, imported only when asked for. A generator with settings of its own
has beside it, in the same module, `OPTIONS: Mapping[str, str]`, name to one line of help;
the command line takes them as `--option name=value`, refuses any other name, and hands
them over in `Options.extra`. Values are text; an absent one is not in the mapping.

What a client sees of an error is not for a generator to invent: `errorkit.publish.wire_example`
gives the `Public`, the headers and the body of each, made by the handler that answers requests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

from errorkit.catalog import Catalog
from errorkit.dialects import Dialect
from errorkit.failure import NOTHING

if TYPE_CHECKING:
    from errorkit.config import Config


Files = dict[str, str]
"""Relative path to text."""


@dataclass(frozen=True, slots=True, eq=False)
class Options:
    """What a generator needs to know beside catalogue and dialect.

    title: the service's name, for people. version: of the service, where it is known.
    base_url: where it is reached, without a slash at the end.
    docs_url: where a code is described; `{code}` is replaced (empty: nowhere).
    retry_after: seconds that the configuration advises, by code. max_retry_wait: seconds;
    above it no client shall retry by itself. status_missing, status_invalid: the
    configuration's statuses of validation failures (None: the dialect's). realm: of challenges. negotiate: clients
    that ask for problem details get them. vary: the request's header fields that decide about
    the form of an example. also: all dialects of the service. prefixes: what is spoken under
    which path prefix, longest first (None: paths that are left alone); empty where one dialect
    serves all. operations: code to the methods and paths that declare it, where they are known.
    document: the service's own OpenAPI document, errors described, where there is one.
    reads_json: does the framework itself read bodies, and reject what is no JSON, as FastAPI does.
    extra: the generator's own settings, as its `OPTIONS` names them.
    """

    title: str = "API"
    version: str = ""
    base_url: str = "https://api.example.com"
    docs_url: str = ""
    retry_after: Mapping[str, float] = field(default_factory=dict)
    max_retry_wait: float = 60
    status_missing: int | None = None
    status_invalid: int | None = None
    realm: str = "api"
    negotiate: bool = False
    vary: tuple[str, ...] = ()
    also: tuple[Dialect, ...] = ()
    prefixes: tuple[tuple[str, Dialect | None], ...] = ()
    operations: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)
    document: Mapping[str, Any] = field(default_factory=dict)
    reads_json: bool = False
    extra: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, config: Config, **more: Any) -> Self:
        """What a configuration knows, its dialects in `also` (that of the shortest prefix first), and `more`."""
        known = {
            "docs_url": config.docs_url,
            "retry_after": config.retry_after,
            "max_retry_wait": config.max_retry_wait,
            "status_missing": config.status_missing,
            "status_invalid": config.status_invalid,
            "realm": config.realm,
            "negotiate": config.negotiate,
            "prefixes": config.dialects,
            "also": tuple(dialect for _, dialect in sorted(config.dialects, key=_shortest) if dialect is not None),
        }
        return cls(**{**known, **more})

    def spoken_at(self, path: str) -> tuple[Dialect | None, ...]:
        """The dialects of a path's errors, the default's first; None for a path that is left alone."""
        prefix = next((each for each, _ in self.prefixes if path == each or path.startswith(f"{each}/")), None)
        return tuple(dialect for each, dialect in self.prefixes if each == prefix)


def _shortest(pair: tuple[str, Any]) -> int:
    return len(pair[0])


Generator = Callable[[Catalog, Dialect, Options], Files]

GENERATORS: Mapping[str, str] = MappingProxyType(
    {
        "docs html": "errorkit.publish.reference:html",
        "docs markdown": "errorkit.publish.reference:markdown",
        "export": "errorkit.publish.export:generate",
        "agents": "errorkit.publish.agents:generate",
        "client python": "errorkit.publish.clients.python:generate",
        "client typescript": "errorkit.publish.clients.typescript:generate",
        "gateway nginx": "errorkit.publish.gateways:nginx",
        "gateway envoy": "errorkit.publish.gateways:envoy",
        "gateway caddy": "errorkit.publish.gateways:caddy",
    }
)
"""The words of the command line to the function that answers them."""


def generator(words: str) -> tuple[Generator, Mapping[str, str]]:
    """A generator by its words, and the settings of its own that it takes.

    Raises KeyError for unknown words, ImportError where the module or what it needs is absent.
    """
    path, _, name = GENERATORS[words].partition(":")
    module = import_module(path)
    function: Generator = getattr(module, name)
    return function, getattr(module, "OPTIONS", NOTHING)


def generate(words: str, catalog: Catalog, dialect: Dialect, options: Options) -> Files:
    """The files of a generator by its words. Raises ValueError for a setting it does not have."""
    function, known = generator(words)
    unknown = sorted(set(options.extra) - set(known))
    if unknown:
        names = ", ".join(sorted(known)) or "none"
        raise ValueError(f"{words} has no option {unknown[0]!r}; it takes: {names}")
    return function(catalog, dialect, options)

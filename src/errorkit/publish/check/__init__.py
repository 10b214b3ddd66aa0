"""Whether handlers raise what they declare, and catalogue and OpenAPI know of it."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from contextlib import suppress
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, Literal, NamedTuple

from errorkit.catalog import Catalog
from errorkit.config import Answer, Config
from errorkit.declaration import Operation
from errorkit.dialects import Dialect
from errorkit.errors import STANDARD, APIError, AuthenticationError, InternalError, MalformedJSONError, ValidationError
from errorkit.publish import Options
from errorkit.publish.check.misspelt_keywords import misspelt
from errorkit.publish.check.name_resolution import parse
from errorkit.publish.check.raised_errors import UNREADABLE, Findings, Raised, Scanner, Unfollowed
from errorkit.publish.described_operations import METHODS
from errorkit.publish.wire_example import example

IMPLIED = (InternalError, ValidationError, MalformedJSONError, AuthenticationError)
"""Codes that nobody has to declare: the generated OpenAPI document adds them by the operation's form."""


Kind = Literal["undeclared", "unraised", "uncatalogued", "unused", "undocumented", "misspelt"]
"""Raised and not declared; declared and never raised; not in the catalogue, or another error there; in the catalogue
and never mentioned; described otherwise by OpenAPI; a keyword that is nearly a parameter."""


class Location(NamedTuple):
    """A line of the service's source."""

    file: str
    line: int


class Fault(NamedTuple):
    """One thing that does not agree with another. place: an operation or a class. at: the line to look at."""

    kind: Kind
    place: str
    text: str
    at: Location | None = None


class Missing(NamedTuple):
    """An error that leaves a function (a handler, or a dependency) and that nothing declares for its operation."""

    function: Callable[..., Any]
    error: type[APIError]


class Report(NamedTuple):
    """What was found. operations: how many were read. missing: what `@raises` lacks, and where."""

    operations: int
    faults: tuple[Fault, ...]
    unfollowed: tuple[Unfollowed, ...]
    missing: tuple[Missing, ...] = ()


def check(
    operations: Iterable[Operation],
    catalog: Catalog,
    dialect_for: Callable[[str], Dialect | None],
    package: str,
    *,
    document: Mapping[str, Any] | None = None,
    config: Config | None = None,
) -> Report:
    """Compare what every operation raises with what is said of it.

    dialect_for: the dialect of a path, or None for paths that are left alone, of which OpenAPI
    says nothing of ours. package: the service's own code; nothing else is read. document: an
    OpenAPI document to compare with. config: whose `exceptions` and `tenant_status` count.
    Where something could not be followed, a declared error that was not found is no fault: it
    may be raised there. Raises ValueError where no handler is in the package.
    """
    config = config or Config(catalog=catalog)
    options = Options.of(config)
    scanner = Scanner(package, config.tenant_status, config.exceptions)
    scanner.raising_names()
    elsewhere = _elsewhere(config, catalog)
    faults: list[Fault] = []
    missing: dict[Missing, None] = {}
    unfollowed: dict[Unfollowed, None] = {}
    seen: set[str] = set()
    count = strangers = 0
    for operation in operations:
        if not scanner.is_own(operation.handler):
            strangers += 1
            continue
        count += 1
        found = Findings()
        for function in operation.functions:
            found.add(scanner.function(function))
        unfollowed.update(dict.fromkeys(sorted(found.unfollowed, key=lambda item: item.place)))
        raised = {_code(error, catalog): error for error in sorted(found.raised, key=lambda error: error.place)}
        seen |= set(raised)
        place = f"{operation.method} {operation.path}"
        undeclared = list(_undeclared(place, operation, catalog, raised))
        faults += undeclared
        if undeclared:
            missing.update(dict.fromkeys(_missing(operation, catalog, scanner)))
        faults += _unknown(place, operation, found, catalog)
        if not found.unfollowed:
            faults += _never_raised(place, operation, catalog, {*raised, *elsewhere})
        dialect = dialect_for(operation.path)
        if document is not None and operation.documented and dialect is not None:
            faults += _documented(place, operation, raised, document, catalog, dialect, options)
    if strangers and not count:
        raise ValueError(f"none of the {strangers} handlers is in the package {package!r}; name the service's own")
    sources, unread = _sources(scanner)
    faults += (Fault("misspelt", *found) for module, tree in sources.items() for found in misspelt(module, tree))
    mentioned = set[str]().union(*(_names(tree) for tree in sources.values()))
    unfollowed.update(dict.fromkeys(unread))
    if not unread:
        faults += _unused(catalog, scanner, {*seen, *elsewhere}, mentioned)
    return Report(count, tuple(dict.fromkeys(faults)), tuple(unfollowed), tuple(missing))


def location(place: str) -> Location | None:
    """The line of a place in the form `module:line`; None for any other, and for a module without a file."""
    module, _, line = place.partition(":")
    file = getattr(sys.modules.get(module), "__file__", None)
    return Location(file, int(line)) if file and line.isdecimal() else None


def _beginning(thing: Any) -> Location | None:
    """Where the source of a function or a class begins."""
    thing = inspect.unwrap(thing)
    with suppress(OSError, TypeError):  # no source, no file
        return Location(inspect.getfile(thing), inspect.getsourcelines(thing)[1])
    return None


def _declared(operation: Operation, catalog: Catalog) -> list[str]:
    """What is declared for an operation, by the catalogue's own names."""
    return [catalog.current(code) for code in operation.declared]


def _implied(catalog: Catalog) -> set[str]:
    return {catalog.by_class(cls).code for cls in IMPLIED}


def _code(error: Raised, catalog: Catalog) -> str:
    if error.cls is None:
        return catalog.by_status(error.status).code
    return catalog.by_class(error.cls).code


def _undeclared(place: str, operation: Operation, catalog: Catalog, raised: Mapping[str, Raised]) -> Iterator[Fault]:
    for code, error in raised.items():
        if code not in _declared(operation, catalog) and code not in _implied(catalog):
            text = f"raises {code!r} at {error.place} and does not declare it"
            yield Fault("undeclared", place, text, location(error.place))


def _missing(operation: Operation, catalog: Catalog, scanner: Scanner) -> Iterator[Missing]:
    """By function: what a dependency raises is declared there, once for every operation that has it."""
    known = {*_declared(operation, catalog), *_implied(catalog)}
    for function in reversed(operation.functions):
        raised = sorted(scanner.function(function).raised, key=lambda error: error.place)
        for code, error in {_code(error, catalog): error for error in raised}.items():
            if code not in known:
                spec = catalog.by_status(error.status) if error.cls is None else catalog.by_class(error.cls)
                yield Missing(inspect.unwrap(getattr(function, "__func__", function)), spec.cls)
        known |= {_code(error, catalog) for error in raised}


def _unknown(place: str, operation: Operation, found: Findings, catalog: Catalog) -> Iterator[Fault]:
    for error in sorted(found.raised, key=lambda error: error.place):
        if error.cls is None:
            continue
        code = catalog.current(error.cls.code)
        if code not in catalog:
            text = f"raises {error.cls.__name__} at {error.place}, which the catalogue does not have"
            yield Fault("uncatalogued", place, text, location(error.place))
        elif not issubclass(catalog.by_code(code).cls, error.cls):
            other = catalog.by_code(code).cls
            text = f"raises {error.cls.__name__} at {error.place}, but {error.cls.code!r} means {other.__name__}"
            yield Fault("uncatalogued", place, text, location(error.place))
    for code in _declared(operation, catalog):
        if code not in catalog:
            text = f"declares {code!r}, which the catalogue does not have"
            yield Fault("uncatalogued", place, text, _beginning(operation.handler))


def _never_raised(place: str, operation: Operation, catalog: Catalog, raised: Set[str]) -> Iterator[Fault]:
    for code in _declared(operation, catalog):
        if code not in raised and code not in _implied(catalog):
            yield Fault("unraised", place, f"declares {code!r} and never raises it", _beginning(operation.handler))


def _elsewhere(config: Config, catalog: Catalog) -> set[str]:
    """Codes that other code than the service's may give: frameworks by status, libraries by `exceptions`."""
    by_status = {catalog.by_status(spec.status).code for spec in catalog}
    named: set[str] = set()
    for translator in config.exceptions.values():
        if isinstance(translator, Answer):
            named.add(translator.error.__name__)
        elif isinstance(translator, FunctionType):
            node = parse(translator)
            named |= _names(node) if node else set()
    return by_status | {spec.code for spec in catalog if spec.cls.__name__ in named}


def _documented(
    place: str,
    operation: Operation,
    raised: Mapping[str, Raised],
    document: Mapping[str, Any],
    catalog: Catalog,
    dialect: Dialect,
    options: Options,
) -> Iterator[Fault]:
    method = operation.method.lower()
    if method not in METHODS:
        return

    def fault(text: str) -> Fault:
        return Fault("undocumented", place, text, _beginning(operation.handler))

    described = document.get("paths", {}).get(operation.path, {}).get(method)
    if described is None:
        yield fault("is not in the OpenAPI document")
        return
    statuses: dict[str, set[str]] = {}
    for status, response in described.get("responses", {}).items():
        if status[:1] in "45":
            content = response.get("content", {})
            statuses[status] = set(content.get(dialect.media_type, {}).get("examples", {}))
            if any("HTTPValidationError" in str(media.get("schema")) for media in content.values()):
                yield fault(f"OpenAPI describes {status} as FastAPI's own HTTPValidationError")
    promised = [code for code in _declared(operation, catalog) if code in catalog and code not in _implied(catalog)]
    for code in promised:
        sent = example(catalog, catalog.by_code(code), dialect, options).public
        status = str(sent.status)
        if status not in statuses:
            yield fault(f"OpenAPI has no response {status}, which {code!r} is sent with")
        elif statuses[status] and dialect.spell(sent.code) not in statuses[status]:
            yield fault(f"OpenAPI does not name {code!r} among the errors of its response {status}")
    implied = _implied(catalog)
    if dialect.code_from_finding:
        implied |= {"missing_field", *catalog.field_codes.values()}
    known = {dialect.spell(code) for code in (*promised, *implied, *raised)}
    for status, names in statuses.items():
        for name in sorted(names - known):
            yield fault(f"OpenAPI names {name!r} for {status}, which is neither declared nor raised")


def _unused(catalog: Catalog, scanner: Scanner, seen: Set[str], mentioned: Set[str]) -> Iterator[Fault]:
    """Errors of the service's own that no line of it mentions."""
    for spec in catalog:
        if spec.code in seen or any(issubclass(standard, spec.cls) for standard in STANDARD):
            continue
        overrides = any(spec.code == standard.code for standard in STANDARD)
        if not overrides and scanner.is_own(spec.cls) and spec.cls.__name__ not in mentioned:
            place = f"{spec.cls.__module__}.{spec.cls.__qualname__}"
            yield Fault("unused", place, f"{spec.code!r} is never raised", _beginning(spec.cls))


def _sources(scanner: Scanner) -> tuple[dict[ModuleType, ast.Module], list[Unfollowed]]:
    """The service's modules as syntax trees, and those that cannot be read."""
    trees: dict[ModuleType, ast.Module] = {}
    unread: list[Unfollowed] = []
    for module in scanner.modules():
        try:
            trees[module] = ast.parse(Path(str(module.__file__)).read_bytes())
        except (OSError, SyntaxError, ValueError):  # gone, or compiled
            unread.append(Unfollowed(module.__name__, UNREADABLE))
    return trees, unread


def _names(tree: ast.AST) -> set[str]:
    """Names that are called, raised or handed over in a module's code."""
    names: set[str] = set()
    for node in ast.walk(tree):
        values: list[ast.expr | None] = []
        if isinstance(node, ast.Raise):
            values = [node.exc]
        elif isinstance(node, ast.Call):
            values = [node.func, *(keyword.value for keyword in node.keywords)]
        elif isinstance(node, ast.Return):
            values = [node.value]
        names.update(str(getattr(v, "id", getattr(v, "attr", ""))) for v in values)
    return names

"""The one catalogue: every error that the service documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType, ModuleType
from typing import Any

from errorkit.actions import Action, derived
from errorkit.challenge import Challenge
from errorkit.configuration_error import ConfigurationError
from errorkit.errors import STANDARD, APIError, Change, Example, InternalError, check_declaration, is_code
from errorkit.exchange import phrase
from errorkit.spelling import did_you_mean

ErrorClass = type[APIError]


@dataclass(frozen=True, slots=True)
class ErrorSpec:
    """One documented error: what its class declares, as a value."""

    code: str
    status: int
    type: str
    title: str
    message: str
    retryable: bool
    concealable: bool
    description: str
    causes: tuple[str, ...]
    resolution: str
    examples: tuple[Example, ...]
    propagate: bool
    default_retry_after: float | None
    default_headers: Mapping[str, str]
    action: Action
    area: str
    since: str
    changed: tuple[Change, ...]
    deprecated: Change | None
    challenge: Challenge | None
    cls: ErrorClass

    @classmethod
    def of(cls, error: ErrorClass) -> ErrorSpec:
        """The spec of a class; an absent description is its docstring's first line.

        The docstrings of the standard errors are for those who raise them: these have no description.
        """
        check_declaration(error)
        own = vars(error)
        summary = "" if error in STANDARD else (error.__doc__ or "").strip().partition("\n")[0]
        return cls(
            code=error.code,
            status=error.status,
            type=error.type,
            title=error.title or phrase(error.status),
            message=_declared_message(error),
            retryable=error.retryable,
            concealable=error.concealable,
            description=error.description or summary,
            causes=tuple(error.causes),
            resolution=error.resolution,
            examples=tuple(Example(*example) for example in error.examples),
            propagate=error.propagate,
            default_retry_after=error.default_retry_after,
            default_headers=MappingProxyType(dict(error.default_headers)),
            action=error.action or derived(error.status, retryable=error.retryable),
            area=error.area,
            since=own.get("since", ""),
            changed=tuple(Change(*change) for change in own.get("changed", ())),
            deprecated=Change(*own["deprecated"]) if own.get("deprecated") else None,
            challenge=error.challenge,
            cls=error,
        )

    def occurrence(self, message: str | None = None, *, headers: Mapping[str, str] | None = None) -> APIError:
        """An occurrence that nobody raised: a framework's own 404, an unhandled exception."""
        return occurrence(self.cls, message, headers=headers)


def occurrence(cls: ErrorClass, message: str | None = None, *, headers: Mapping[str, str] | None = None) -> APIError:
    """An occurrence that nobody raised.

    What the class's own constructor asks for is not known here: one that wants more is passed over.
    """
    try:
        return cls(message, headers=headers) if message is not None or headers is not None else cls()
    except Exception:
        error = cls.__new__(cls)
        APIError.__init__(error, message, headers=headers)
        return error


def _declared_message(error: type[APIError]) -> str:
    return error.message or error.title or phrase(error.status)


class Catalog:
    """All documented errors, in the order given, the standard ones after them.

    errors: APIError classes, or modules whose own APIError classes are taken in the order
        of their definition. A class that overrides a standard code must derive from the
        class that declares it.
    field_codes: a field's own detail code (`{"role": "invalid_role"}`), by its last member
        or its dotted path.
    retired: codes that were once in use. None of the errors may have one.
    rename: standard codes to the service's own names for them (`{"internal": "internal_error"}`): the only
        names that they have here, for the wire, the log, the settings and all that is published.

    A listed class answers for the standard error that it derives from, under a code of its own, if it says
    `answers_for_standard = True`. So does, without saying it, the only listed subclass of InternalError, for a
    crash, if it has nothing of its own but a code, a title and words for the reference.

    Raises ConfigurationError for two meanings of one code, naming both places, and for what is no such class.
    """

    def __init__(
        self,
        errors: Iterable[type[APIError] | ModuleType] = (),
        *,
        field_codes: Mapping[str, str] | None = None,
        retired: Iterable[str] = (),
        rename: Mapping[str, str] | None = None,
    ) -> None:
        self.renamed: Mapping[str, str] = MappingProxyType(dict(rename or {}))
        self.field_codes: Mapping[str, str] = MappingProxyType(dict(field_codes or {}))
        self.retired: frozenset[str] = frozenset(retired)
        self._by_code: dict[str, ErrorSpec] = {}
        self._by_status: dict[int, ErrorSpec] = {}
        self._fallbacks: dict[int, ErrorSpec] = {}
        listed = list(_classes(errors))
        self._answering = _answering(listed)
        self._check_renamed()
        for cls in listed:
            self._add(self._spec(cls))
        for cls in STANDARD:
            code = self.current(cls.code)
            own = self._by_code.get(code)
            if own is None:
                self._add(self._spec(cls))
            elif not issubclass(own.cls, cls):
                raise ConfigurationError.of(
                    "catalog",
                    own.cls,
                    f"code {code!r} is declared by {_place(own.cls)} and by {_place(cls)}; "
                    f"derive the first from {cls.__name__} to override it, or choose another code",
                )
        for cls in STANDARD:  # a status's default is the standard class, or what overrides it
            self._by_status.setdefault(cls.status, self._by_code[self.current(cls.code)])
        for spec in self._by_code.values():
            self._by_status.setdefault(spec.status, spec)

    def current(self, code: str) -> str:
        """The name that a code has here, as a class declares it: another one where a standard code is renamed."""
        answering = self._answering.get(code)
        return self.renamed.get(code, code) if answering is None else answering.code

    def _spec(self, cls: ErrorClass) -> ErrorSpec:
        spec = ErrorSpec.of(cls)
        code = self.current(cls.code)
        return spec if code == cls.code else replace(spec, code=code)

    def _check_renamed(self) -> None:
        """Refuse names that could not be used, or that rename nothing. Raises ConfigurationError."""
        standard = [cls.code for cls in STANDARD]
        for code, name in self.renamed.items():
            field = f"catalog.rename[{code!r}]"
            if code not in standard:
                fix = did_you_mean(code, standard) or "; of a class of your own, change the code itself"
                raise ConfigurationError.of(field, name, f"there is no such standard code{fix}")
            if not is_code(name):
                raise ConfigurationError.of(
                    field, name, "a code is lower snake case; write for example 'internal_error'"
                )
            if code in self._answering:
                raise ConfigurationError.of(
                    field,
                    name,
                    f"{_place(self._answering[code])} answers for it already; leave one of the two",
                )

    def _add(self, spec: ErrorSpec) -> None:
        if spec.code in self.retired:
            raise ConfigurationError.of(
                "catalog",
                spec.cls,
                f"code {spec.code!r} is retired and declared by {_place(spec.cls)}; "
                "clients may know its old meaning: give it another code",
            )
        other = self._by_code.setdefault(spec.code, spec)
        if other.cls is not spec.cls:
            raise ConfigurationError.of(
                "catalog",
                spec.cls,
                f"code {spec.code!r} is declared by {_place(other.cls)} and by {_place(spec.cls)}; "
                "give one of them another code",
            )

    def __iter__(self) -> Iterator[ErrorSpec]:
        return iter(self._by_code.values())

    def __len__(self) -> int:
        return len(self._by_code)

    def __contains__(self, code: object) -> bool:
        return code in self._by_code

    def by_code(self, code: str) -> ErrorSpec:
        """The spec of a code. Raises KeyError with the nearest codes."""
        try:
            return self._by_code[code]
        except KeyError:
            raise KeyError(f"no error with code {code!r}{did_you_mean(code, self._by_code)}") from None

    def by_class(self, cls: type[APIError]) -> ErrorSpec:
        """The spec that a class's occurrences are served by.

        A class that is not listed stands for itself, unless its code is overridden here
        by one of its subclasses.
        """
        own = self._by_code.get(self.current(cls.code))
        if own is not None and (own.cls is cls or issubclass(own.cls, cls)):
            return own
        return self._spec(cls)

    def by_status(self, status: int) -> ErrorSpec:
        """The spec for an answer of which only the status is known; beyond 400..599, "internal"."""
        if not 400 <= status <= 599:
            return self.by_class(InternalError)
        spec = self._by_status.get(status) or self._fallbacks.get(status)
        if spec is None:
            words = phrase(status)
            code = f"http_{status}" if words in ("Client Error", "Server Error") else _snake(words)
            base = self._by_status[400] if status < 500 else self._by_status[500]
            cls: type[APIError] = type(
                f"HTTP{status}Error",
                (APIError,),
                {"code": code, "status": status, "title": words, "message": f"{words}.", "__module__": __name__},
            )
            spec = ErrorSpec.of(cls) if code not in self._by_code else base
            self._fallbacks[status] = spec
        return spec


_RENAMES_ONLY = frozenset(
    {"code", "title", "description", "causes", "resolution", "examples", "area", "since", "changed", "deprecated"}
)
"""What a class may have of its own and still be the error that it derives from, under another name."""


def _answering(listed: Iterable[ErrorClass]) -> Mapping[str, ErrorClass]:
    """By standard code, the listed class of another code that answers for it.

    Raises ConfigurationError where two say that they do.
    """
    listed = list(listed)
    found: dict[str, ErrorClass] = {}
    for cls in listed:
        if not vars(cls).get("answers_for_standard", False):
            continue
        base = next((each for each in cls.__mro__[1:] if each in STANDARD), None)
        if base is None or cls.status != base.status:
            why = "it derives from no standard error of its status; derive it from one, such as InternalError"
            raise ConfigurationError.of(f"{_place(cls)}.answers_for_standard", True, why)
        other = found.setdefault(base.code, cls)
        if other is not cls:
            why = f"{_place(other)} answers for {base.__name__}, too; let one of them say so"
            raise ConfigurationError.of(f"{_place(cls)}.answers_for_standard", True, why)
    crashes = [cls for cls in listed if issubclass(cls, InternalError)]
    if InternalError.code not in found and len(crashes) == 1 and crashes[0].__bases__ == (InternalError,):
        own = {name for name in vars(crashes[0]) if not name.startswith("__")}
        if own <= _RENAMES_ONLY:
            found[InternalError.code] = crashes[0]
    return {code: cls for code, cls in found.items() if cls.code != code}


def _snake(words: str) -> str:
    return "_".join("".join(c if c.isalnum() else " " for c in words.replace("'", "").lower()).split())


def _place(cls: type[APIError]) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _classes(errors: Iterable[Any]) -> Iterator[type[APIError]]:
    for entry in errors:
        if isinstance(entry, ModuleType):
            for value in vars(entry).values():
                if (
                    isinstance(value, type)
                    and issubclass(value, APIError)
                    and value.__module__ == entry.__name__
                    and "code" in vars(value)
                ):
                    yield value
        elif isinstance(entry, type) and issubclass(entry, APIError):
            if "code" not in vars(entry):
                declaring = next(base for base in entry.__mro__ if "code" in vars(base))
                raise ConfigurationError.of(
                    f"{_place(entry)}.code",
                    entry.code,
                    f"it is inherited from {declaring.__name__}; give it a code of its own, "
                    f"or repeat code = {entry.code!r} to override that class",
                )
            yield entry
        else:
            raise ConfigurationError.of(
                "catalog", entry, "this cannot be listed; list classes of APIError, or modules that define them"
            )

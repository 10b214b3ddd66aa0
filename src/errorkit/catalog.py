"""The one catalogue: every error that the service documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType, ModuleType
from typing import Any

from errorkit.configuration_error import ConfigurationError
from errorkit.errors import STANDARD, APIError, Example, check_declaration
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
    cls: ErrorClass

    @classmethod
    def of(cls, error: ErrorClass) -> ErrorSpec:
        """The spec of a class; an absent description is its docstring's first line."""
        check_declaration(error)
        summary = (error.__doc__ or "").strip().partition("\n")[0]
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

    Raises ConfigurationError for two meanings of one code, naming both places, and for what is no such class.
    """

    def __init__(
        self,
        errors: Iterable[type[APIError] | ModuleType] = (),
        *,
        field_codes: Mapping[str, str] | None = None,
        retired: Iterable[str] = (),
    ) -> None:
        self.field_codes: Mapping[str, str] = MappingProxyType(dict(field_codes or {}))
        self.retired: frozenset[str] = frozenset(retired)
        self._by_code: dict[str, ErrorSpec] = {}
        self._by_status: dict[int, ErrorSpec] = {}
        self._fallbacks: dict[int, ErrorSpec] = {}
        for cls in _classes(errors):
            self._add(ErrorSpec.of(cls))
        for cls in STANDARD:
            own = self._by_code.get(cls.code)
            if own is None:
                self._add(ErrorSpec.of(cls))
            elif not issubclass(own.cls, cls):
                raise ConfigurationError.of(
                    "catalog",
                    own.cls,
                    f"code {cls.code!r} is declared by {_place(own.cls)} and by {_place(cls)}; "
                    f"derive the first from {cls.__name__} to override it, or choose another code",
                )
        for cls in STANDARD:  # a status's default is the standard class, or what overrides it
            self._by_status.setdefault(cls.status, self._by_code[cls.code])
        for spec in self._by_code.values():
            self._by_status.setdefault(spec.status, spec)

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
        own = self._by_code.get(cls.code)
        if own is not None and (own.cls is cls or issubclass(own.cls, cls)):
            return own
        return ErrorSpec.of(cls)

    def by_status(self, status: int) -> ErrorSpec:
        """The spec for an answer of which only the status is known; beyond 400..599, "internal"."""
        if not 400 <= status <= 599:
            return self._by_code["internal"]
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

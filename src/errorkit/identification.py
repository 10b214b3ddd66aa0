"""Step 1: any exception as a declared error. A stranger becomes "internal", its words stay private."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from errorkit.catalog import Catalog, ErrorSpec
from errorkit.errors import APIError, InternalError
from errorkit.failure import leaves, new_tuple

_MAX_LEAVES = 1000
_MAX_CLASSES = 1024

Translator = Callable[[Any], APIError | None]
"""From a foreign exception to the error that answers for it; None leaves it undeclared."""


class Identified(NamedTuple):
    """Step 1's result: the declared error that answers, and what was really raised."""

    error: APIError
    spec: ErrorSpec
    exception: BaseException | None
    reason: str


class Identifier:
    """Knows which errors are declared, and which foreign exceptions they answer for.

    translators: foreign exception classes, subclasses included.
    """

    def __init__(self, catalog: Catalog, translators: Mapping[type[BaseException], Translator]) -> None:
        self.catalog = catalog
        self._translators = dict(translators)
        self._of_adapters: list[Translator] = []
        self._translator_of: WeakKeyDictionary[type, Translator | None] = WeakKeyDictionary()
        """By class; an application may make classes while it runs, and let go of them."""
        self._specs: dict[type[APIError], ErrorSpec] = {}
        self._internal = catalog.by_class(InternalError)

    def add(self, translators: Mapping[type[BaseException], Translator]) -> None:
        """An adapter's exception classes; the configuration's own win, and the later one of two adapters."""
        own = {cls: t for cls, t in self._translators.items() if not any(t is each for each in self._of_adapters)}
        self._translators = {**self._translators, **translators, **own}
        self._of_adapters += translators.values()
        self._translator_of.clear()

    def is_frameworks(self, exception: BaseException) -> bool:
        """Does the framework answer it by itself: an adapter knows its class, and the configuration says nothing."""
        translator = self._translate(type(exception))
        return any(translator is each for each in self._of_adapters)

    @property
    def declared(self) -> tuple[type[BaseException], ...]:
        """The classes of which exceptions may be declared; subclasses included."""
        return (APIError, *self._translators)

    def handles(self, exception: BaseException) -> bool:
        """Is the exception declared: an APIError, of a class that something translates, or a group of these."""
        if isinstance(exception, APIError) or self._translate(type(exception)) is not None:
            return True
        return isinstance(exception, BaseExceptionGroup) and self._leaf(exception) is not None

    def is_own(self, exception: BaseException) -> bool:
        """Is it an error that the application would not know without errorkit, or a group of these."""
        if isinstance(exception, BaseExceptionGroup):
            return all(isinstance(leaf, APIError) for leaf in leaves(exception, _MAX_LEAVES + 1))
        return isinstance(exception, APIError)

    def identify(self, exception: BaseException) -> Identified:
        """The declared error that answers for any exception.

        Raises TypeError where a translator gives something else than an APIError.
        """
        if isinstance(exception, APIError):
            reason = exception.reason
            if exception.concealable and not reason:
                reason = "absent"
            cls = type(exception)
            spec = self._specs[cls] if cls in self._specs else self.spec(cls)
            return new_tuple(Identified, (exception, spec, exception, reason))
        translator = self._translate(type(exception))
        if translator is None and isinstance(exception, BaseExceptionGroup):
            declared = self._leaf(exception)
            if declared is not None:
                return declared._replace(exception=exception)
        error = None if translator is None else translator(exception)
        if error is None:
            return Identified(self._internal.occurrence(), self._internal, exception, "unhandled")
        if not isinstance(error, APIError):
            raise TypeError(f"{translator!r} gave {type(error).__name__} for an exception; it must give an APIError")
        reason = error.reason or ("absent" if error.concealable else "validation" if error.details else "")
        return Identified(error, self.spec(type(error)), exception, reason)

    def spec(self, cls: type[APIError]) -> ErrorSpec:
        """The spec that a class's occurrences are served by, remembered."""
        try:
            return self._specs[cls]
        except KeyError:
            if len(self._specs) >= _MAX_CLASSES:
                self._specs.clear()
            spec = self._specs[cls] = self.catalog.by_class(cls)
            return spec

    def _translate(self, cls: type) -> Translator | None:
        try:
            return self._translator_of[cls]
        except KeyError:
            if len(self._translator_of) >= _MAX_CLASSES:
                self._translator_of.clear()
            found = next((self._translators[base] for base in cls.__mro__ if base in self._translators), None)
            self._translator_of[cls] = found
            return found

    def _leaf(self, group: BaseExceptionGroup[Any]) -> Identified | None:
        """What answers for a group: its declared error of the highest status; None with a stranger in it."""
        found: Identified | None = None
        members = leaves(group, _MAX_LEAVES + 1)
        if len(members) > _MAX_LEAVES:
            return None
        for leaf in members:
            if not self.handles(leaf):
                return None
            identified = self.identify(leaf)
            if identified.reason == "unhandled":
                return None
            if found is None or identified.spec.status > found.spec.status:
                found = identified
        return found

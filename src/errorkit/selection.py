"""Which dialect serves a path, whose ids it gives, and which body stands in where errorkit itself fails."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from errorkit.catalog import Catalog, ErrorSpec
from errorkit.choosing import Chooser, Spoken
from errorkit.config import Config
from errorkit.dialect_trial import failed, try_dialect
from errorkit.dialects import Dialect
from errorkit.dialects.problem import Problem
from errorkit.encoding import text_of
from errorkit.errors import InternalError
from errorkit.events import last_resort
from errorkit.exchange import RawHeaders, Request
from errorkit.failure import Public
from errorkit.form_choice import FormChoice
from errorkit.negotiation import Forms
from errorkit.rendering import Renderer
from errorkit.request_id import RequestIdFormat, accept, is_safe, uuid7
from errorkit.retry import advise, clock

V = TypeVar("V")

StandIn = tuple[Public, list[bytes], RawHeaders]
"""An error without an occurrence, its body in the parts between which the request ID belongs, its dialect's fields."""


_PAGE: RawHeaders = [(b"content-type", b"text/html")]


class Selection:
    """The configured dialects, each proven at start-up to take every error of the catalogue.

    Raises ConfigurationError for one that does not.
    """

    def __init__(self, config: Config) -> None:
        self.catalog: Catalog = config.catalog
        self._trust_inbound = config.trust_inbound
        self._held: tuple[tuple[str, bool], ...] = config.hold_start
        for dialect in dict.fromkeys(dialect for _, dialect in config.dialects if dialect is not None):
            try_dialect(dialect, self.catalog)
        own = _own(config)
        self.choices = tuple((prefix, self._choice(config, prefix, spoken, own)) for prefix, spoken in _divided(config))
        self.renderers = tuple((prefix, choice.default) for prefix, choice in self.choices)
        self.only = self.renderers[0][1] if len(self.renderers) == 1 and not self.renderers[0][0] else None
        """The renderer of every path, where there is one for all."""
        choices = [choice for _, choice in self.choices]
        self._deciding = {renderer: choice for choice in choices if choice.decides for renderer in choice.chosen}
        self.negotiates = bool(self._deciding)
        """Is there a choice of forms for any path."""
        self.observes = any(renderer.leaves(_PAGE) for choice in choices for renderer in choice.renderers)
        """Do answers of the application's own stay as they are, for any request."""
        self._id_makers = {
            choice.default: _id_maker(
                config.request_id or choice.default.dialect.request_id_format or RequestIdFormat()
            )
            for choice in choices
        }
        self._rehearsed = {
            renderer: {spec.code: _rehearse(renderer, spec, self._wait(config, spec)) for spec in self.catalog}
            for choice in choices
            for renderer in choice.renderers
        }

    def renderer_for(self, path: str) -> Renderer | None:
        """The renderer of the longest prefix that `path` lies under; None: leave it alone."""
        if self.only is not None:
            return self.only
        return _of_longest_prefix(self.renderers, path)

    def holds_start(self, path: str) -> bool:
        """Shall a start wait for its first chunk."""
        return bool(_of_longest_prefix(self._held, path))

    def request_id(self, renderer: Renderer, inbound: bytes | None) -> str:
        """A believable inbound id, or a new one."""
        if inbound is not None and self._trust_inbound:
            accepted = accept(inbound)
            if accepted is not None:
                return accepted
        return self._id_makers[renderer]()

    def negotiate(self, request: Request) -> None:
        """Let an error be said in the form that its request shall get. What has been chosen stays."""
        choice = self._deciding.get(request.renderer)
        if choice is not None:
            request.renderer = choice.renderer(request)

    def choose(self, request: Request) -> None:
        """Let the chooser alone decide, where no error may come of it."""
        choice = self._deciding.get(request.renderer)
        if choice is not None:
            request.renderer = choice.choice(request)

    def leaves(self, request: Request, headers: Iterable[tuple[bytes, bytes]]) -> tuple[str, tuple[str, ...]]:
        """Why an answer of these fields, which other code has made, stays as it is, and which of the request's decided.

        Empty: nothing says so.
        """
        self.choose(request)
        choice = self._deciding.get(request.renderer)
        renderer: Renderer = request.renderer if choice is None else choice.renderer(request)
        vary = choice.vary_of_observed if choice is not None and renderer.observes else renderer.vary
        return renderer.leaves(headers), vary

    def forms(self, path: str) -> Forms | None:
        """All forms that the errors of a path can have; None: it is left alone."""
        choice = _of_longest_prefix(self.choices, path)
        return None if choice is None else choice.forms

    def stand_in(self, renderer: Renderer, spec: ErrorSpec, request_id: str) -> tuple[Public, bytes, RawHeaders]:
        """A body prepared at start-up, under the right status, and the header fields of the dialect."""
        rehearsed = self._rehearsed[renderer]
        listed = rehearsed.get(spec.code) or rehearsed.get(self.catalog.by_status(spec.status).code)
        prepared, parts, vendor = listed or rehearsed[self.catalog.by_class(InternalError).code]
        public = prepared._replace(request_id=request_id, status=prepared.status if listed else spec.status)
        return public, request_id.encode("ascii").join(parts), vendor

    def _choice(self, config: Config, prefix: str, spoken: Spoken | Chooser | None, own: Dialect) -> FormChoice:
        html = _of_longest_prefix(config.pages, prefix) or "dialect"
        return FormChoice(spoken, own, negotiate=config.negotiate, html=html, service=config.service_name)

    def _wait(self, config: Config, spec: ErrorSpec) -> tuple[int | None, bool]:
        """Seconds to advise for an occurrence that brings none, and whether to retry then."""
        wait = config.retry_after.get(spec.code, spec.default_retry_after)
        seconds = None if wait is None else advise(wait, clock()).seconds
        return seconds, spec.retryable and (seconds or 0) <= config.max_retry_wait


def _of_longest_prefix(table: Iterable[tuple[str, V]], path: str) -> V | None:
    """What stands in a table, longest prefix first, for the first one that `path` lies under, by whole segments."""
    return next((value for prefix, value in table if _lies_under(path, prefix)), None)


def _lies_under(path: str, prefix: str) -> bool:
    return not prefix or path == prefix or path.startswith(prefix + "/")


def _divided(config: Config) -> list[tuple[str, Spoken | Chooser | None]]:
    """What is spoken under each prefix of `dialect` and of `html`, longest prefix first."""
    spoken = config.spoken
    known = dict(spoken)
    for prefix, _ in config.pages:
        if prefix not in known and any(_lies_under(prefix, each) for each, _ in spoken):
            known[prefix] = next(choice for each, choice in spoken if _lies_under(prefix, each))
    return sorted(known.items(), key=lambda pair: -len(pair[0]))


def _own(config: Config) -> Dialect:
    """The dialect of the shortest prefix that has one: for errors of errorkit's where the rest is observed."""
    spoken = sorted((len(prefix), n) for n, (prefix, dialect) in enumerate(config.dialects) if dialect is not None)
    return config.dialects[spoken[0][1]][1] or Problem() if spoken else Problem()


def _rehearse(renderer: Renderer, spec: ErrorSpec, wait: tuple[int | None, bool]) -> StandIn:
    """What stands in for a spec's occurrences: proof at start-up that the dialect can write it."""
    try:
        status, coarse, message = renderer.dialect.settle(spec.status, spec.type, spec.message)
        public = Public(spec.code, status, coarse, spec.title, message, retryable=wait[1])
        return public, renderer.around_id(public), renderer.vendor(public._replace(retry_after=wait[0]))
    except Exception as error:
        raise failed(renderer.dialect, "write", f"the error {spec.code!r}", error) from error


def _id_maker(form: RequestIdFormat) -> Callable[[], str]:
    """What makes ids; where the user's own function fails or gives an unsafe one, ours takes its place."""
    if form.generate is None:
        return form.new

    def make() -> str:
        try:
            made = form.new()
            if not is_safe(made):
                raise ValueError(f"generate gave {text_of(made, 40)!r}; use 1 to 128 of letters, digits and ._:-")
        except Exception as own:
            last_resort("a request id could not be generated", own)
            return uuid7()
        return made

    return make

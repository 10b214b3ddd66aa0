"""In which form the errors of one path prefix are said: chosen late, when one is to be answered.

First what the chooser of the configuration says, then, within that, what Accept asks for.
"""

from __future__ import annotations

from collections.abc import Iterable

from errorkit.choosing import OBSERVE, Chooser, Spoken
from errorkit.dialects import Dialect
from errorkit.exchange import Request
from errorkit.negotiation import Forms, prefers_html, prefers_problem, problem_beside
from errorkit.pages import PageRenderer
from errorkit.rendering import Renderer
from errorkit.settings import Html


class FormChoice:
    """The forms of one prefix, each with its renderer.

    spoken: a dialect, the chooser of one, or None: errorkit says nothing. own: the dialect of errorkit's errors
    where the rest is observed.
    negotiate: problem details for those who ask for these. html: what those get who prefer HTML.
    service: its name, on pages.
    """

    def __init__(
        self,
        spoken: Spoken | Chooser | None,
        own: Dialect,
        *,
        negotiate: bool,
        html: Html = "dialect",
        service: str = "",
    ) -> None:
        self.chooser = spoken if isinstance(spoken, Chooser) else None
        choices = spoken.choices if isinstance(spoken, Chooser) else (spoken,)
        by_chooser = self.chooser.vary if self.chooser is not None else ()
        by_accept = ("Accept",) if negotiate or html != "dialect" else ()
        self.vary = tuple(dict.fromkeys((*by_chooser, *by_accept)))
        self.vary_of_observed = by_chooser
        """Accept decides nothing about what is left as it is."""
        self._of = {id(each): self._renderer(each, own) for each in choices}
        self._problems: dict[Renderer, Renderer] = {}
        for renderer in self._of.values() if negotiate else ():
            beside = problem_beside(renderer.dialect)
            if beside is not None:
                alike = (known for known in self._problems.values() if _alike(known, renderer, beside))
                self._problems[renderer] = next(alike, None) or self._beside(renderer, beside)
        self._pages: dict[Renderer, Renderer] = {}
        for renderer in self._of.values() if html != "dialect" else ():
            self._pages[renderer] = PageRenderer(
                renderer.dialect,
                service=service,
                keeps=html == "application",
                vary=self.vary,
                observes=renderer.observes,
            )
        self.default = self._of[id(choices[0])]
        self.decides = self.chooser is not None or bool(self._problems or self._pages)
        """Is there anything to choose."""

    @property
    def renderers(self) -> Iterable[Renderer]:
        """All of them, the default first."""
        return dict.fromkeys((*self._of.values(), *self._problems.values(), *self._pages.values()))

    @property
    def forms(self) -> Forms | None:
        """All forms that its errors can have; None where all are the application's own."""
        said = [each for each in (*self._of.values(), *self._problems.values()) if not each.observes]
        dialects = tuple(dict.fromkeys(renderer.dialect for renderer in said))
        return Forms(dialects, page=bool(self._pages), vary=self.vary) if dialects else None

    @property
    def chosen(self) -> Iterable[Renderer]:
        """Those among which the chooser chooses."""
        return self._of.values()

    def choice(self, request: Request) -> Renderer:
        """What the chooser says; what it has said once, stays."""
        if self.chooser is None or request.renderer is not self.default:
            return request.renderer  # type: ignore[no-any-return]
        return self._of[id(self.chooser(request))]

    def renderer(self, request: Request) -> Renderer:
        """The renderer of the form that a request shall get. Accept says nothing about the last event of a stream."""
        renderer = self.choice(request)
        page, problem = self._pages.get(renderer), self._problems.get(renderer)
        accept = None if request.outcome or page is problem is None else request.header(b"accept")
        if not accept:
            return renderer
        own = renderer.dialect.media_type
        if page is not None and prefers_html(accept, own):
            return page
        return problem if problem is not None and prefers_problem(accept, own) else renderer

    def _renderer(self, choice: Spoken | None, own: Dialect) -> Renderer:
        if choice is None or choice == OBSERVE:
            return Renderer(own, vary=self.vary, observes=True, answers_own=choice is not None)
        return Renderer(choice, vary=self.vary)

    def _beside(self, renderer: Renderer, dialect: Dialect) -> Renderer:
        return Renderer(dialect, vary=self.vary, observes=renderer.observes)


def _alike(known: Renderer, renderer: Renderer, beside: Dialect) -> bool:
    return known.observes == renderer.observes and vars(known.dialect) == vars(beside)

"""An error in words for a reader who decides what to do next: a model, or a person with a terminal."""

from __future__ import annotations

from errorkit.actions import ADVICE
from errorkit.catalog import ErrorSpec
from errorkit.failure import Public

MEDIA_TYPE = "text/markdown"
"""RFC 7763."""


def markdown(public: Public, spec: ErrorSpec) -> str:
    """A public error as Markdown: what happened, what to do next and whose turn it is, and what helps to find it.

    spec: of the code that is shown. Each value of the error's is one line; nothing of it is markup.
    """
    advice = ADVICE["retry" if public.retryable else spec.action]
    lines = [f"# {_plain(public.title)} ({public.status})", "", _plain(public.message), ""]
    lines += [f"- code: `{public.code}`", f"- next: {advice.words} It is the {advice.turn}'s turn."]
    if public.retry_after is not None:
        lines.append(f"- wait: {public.retry_after} seconds")
    if public.param:
        lines.append(f"- parameter: {_name(public.param)}")
    lines += [f"- at {_name(detail.field or detail.location)}: {_plain(detail.message)}" for detail in public.details]
    if spec.resolution:
        lines.append(f"- resolution: {_plain(spec.resolution)}")
    if public.doc_url:
        lines.append(f"- more: <{public.doc_url}>")
    lines.append(f"- request id: `{public.request_id}`")
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """On one line, with what would be markup escaped (CommonMark 2.4)."""
    line = " ".join(text.split())
    return "".join(f"\\{each}" if each in _MARKUP else each for each in line)


def _name(text: str) -> str:
    """As code, in which there is no escape."""
    return f"`{' '.join(text.split()).replace('`', '')}`"


_MARKUP = frozenset("\\`*_[]<>#&|")

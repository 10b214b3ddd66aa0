"""What to do about an error, for programs and models that read it: one word, whose turn it is, and a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

Action = Literal["retry", "fix_request", "authenticate", "pay", "escalate"]
Turn = Literal["client", "user", "service"]
"""The program that has sent the request; the person for whom it did; the people who run the service."""


class Advice(NamedTuple):
    """turn: who has to do something. words: what."""

    turn: Turn
    words: str


ADVICE: Mapping[Action, Advice] = MappingProxyType(
    {
        "retry": Advice(
            "client", "Send the same request again, after the time that is given, else with growing pauses."
        ),
        "fix_request": Advice("client", "Change the request before sending it again; the same one fails again."),
        "authenticate": Advice("user", "Get valid credentials, then send the same request with these."),
        "pay": Advice("user", "Settle the account or raise its limit, then send the same request again."),
        "escalate": Advice("service", "Do not send it again; tell whoever runs the service, with the request ID."),
    }
)

_BY_STATUS: Mapping[int, Action] = MappingProxyType({401: "authenticate", 402: "pay", 403: "escalate", 451: "escalate"})


def derived(status: int, *, retryable: bool) -> Action:
    """The action for an error whose class declares none."""
    if retryable:
        return "retry"
    return _BY_STATUS.get(status) or ("fix_request" if status < 500 else "escalate")

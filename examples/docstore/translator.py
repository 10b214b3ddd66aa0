"""A stand-in for another company's translation service, which fails by the language asked for."""

from __future__ import annotations

from typing import Literal

Language = Literal["en", "la", "eo", "tlh"]


class TranslationTimeout(TimeoutError):
    """No answer within the time allowed. The service maps this class in its configuration."""


class TranslatorOverloaded(ConnectionError):
    """Refused; `seconds` says for how long."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"overloaded for {seconds} s")
        self.seconds = seconds


def translate(text: str, to: Language) -> str:
    """The text in another language, if all goes well."""
    match to:
        case "en":
            return text
        case "la":
            raise ValueError("answer of translator-3.internal is not JSON: '<html>'")
        case "eo":
            raise TranslatorOverloaded(12.5)
        case "tlh":
            raise TranslationTimeout("translator-3.internal: no answer in 8 s")

"""Which members are secrets by their name, and what is taken out of texts, before anything is logged."""

from __future__ import annotations

import re
from collections.abc import Iterable

from errorkit.texts import words_in

REDACTED = "[redacted]"

SECRET_NAMES = (
    "password", "passwd", "passphrase", "passcode", "pass", "pwd", "secret", "credential",
    "token", "jwt", "bearer", "authorization", "auth", "otp", "csrf", "xsrf",
    "api_key", "access_key", "account_key", "private_key", "secret_key", "encryption_key", "signing_key", "ssh_key",
    "cookie", "session", "dsn", "connection_string", "conn_str", "database_url", "redis_url", "broker_url",
    "ssn", "card_number", "cvc", "cvv", "pin",
)  # fmt: skip
"""A member is redacted if its name holds one of these, in any spelling: `api_key`, `apiKey`, `X-Api-Key`, `API key`.

Of more than four letters: anywhere in the name (`accesskeyid`); a shorter one as a word of its own
(`user_pin`, not `spinning`).
"""

QUOTES_INPUT = "input_value="
"""In the text of a pydantic error, before what was submitted."""

_MAX_NAME = 200
_MAX_KNOWN = 1024
_USERINFO = re.compile(r"(://)(?:[^\s/?#\"'<>]{1,512}|[^\s/:@\"'<>]{0,256}:[^\s\"'<>]{1,256})@")
_BEFORE = re.compile(r".{0,500}?\d validation errors? for [\w.\[\], |]{1,200}", re.DOTALL).match
_TYPES = re.compile(r"\[type=(\w{1,64}), input_value=").findall
_STATEMENTS = re.compile(r"(\[parameters: ).*?(\](?=\n|$)|$)", re.DOTALL)
_PARAMETER = re.compile(r"([?&;])([\w.%-]{1,100})=([^&;\s#\"'<>]+)")


class Redactor:
    """Takes secrets out of what is logged.

    further: names beside `SECRET_NAMES`.
    """

    def __init__(self, further: Iterable[str] = ()) -> None:
        words = ["_".join(words_in(name)) for name in (*SECRET_NAMES, *further)]
        solid = {word.replace("_", "") for word in words if word}
        short = "|".join(sorted(re.escape(word) for word in solid if len(word) <= 4))
        long = "|".join(sorted(re.escape(word) for word in solid if len(word) > 4))
        self._short = re.compile(rf"(?:^|_)(?:{short})s?\d*(?:_|$)").search
        self._long = re.compile(long).search
        self._known: dict[str, bool] = {}

    def secret(self, name: str) -> bool:
        """Is a member of this name not to be logged."""
        known = self._known.get(name)
        if known is None:
            words = words_in(name[:_MAX_NAME])
            known = len(name) > _MAX_NAME or bool(self._short("_".join(words)) or self._long("".join(words)))
            if len(self._known) < _MAX_KNOWN and len(name) <= _MAX_NAME:
                self._known[name] = known
        return known

    def text(self, value: str) -> str:
        """A text without credentials and secret parameters of URLs, and without what libraries quote.

        That is of pydantic what was submitted, of SQLAlchemy a statement's parameters.
        """
        if QUOTES_INPUT in value:  # words of validators and names of members, too, may hold it
            before = _BEFORE(value)
            value = f"{before[0] if before else ''} {REDACTED} {', '.join(_TYPES(value)[:10])}".strip()
        if "[parameters: " in value:
            value = _STATEMENTS.sub(rf"\1{REDACTED}\2", value)
        if "://" not in value:
            return value
        if "@" in value:
            value = _USERINFO.sub(rf"\1{REDACTED}@", value)
        if "=" in value:
            value = _PARAMETER.sub(self._parameter, value)
        return value

    def _parameter(self, found: re.Match[str]) -> str:
        before, name, _ = found.groups()
        return f"{before}{name}={REDACTED}" if self.secret(name) else found[0]

"""The challenge of an answer that asks for credentials, or for better ones (RFC 9110 section 11.6.1, RFC 6750)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch
_SAID = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]*").fullmatch
"""What RFC 6750 section 3 allows in error, error_description and scope."""
_UNSAID = re.compile(r"[^\x20-\x21\x23-\x5b\x5d-\x7e]")
_LONGEST = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """What `WWW-Authenticate` says, on a class or of one occurrence.

    scheme: the authentication scheme. realm: of the protected space; empty: the configured one. error: why these
    credentials did not do, for Bearer `invalid_request`, `invalid_token` or `insufficient_scope`; leave it out where
    none were sent. description: for the client's developer; empty beside an error: the error's public message. scope:
    what the credentials would have to allow, separated by spaces.

    Raises ValueError for characters that the field cannot carry.
    """

    scheme: str = "Bearer"
    realm: str = ""
    error: str = ""
    description: str = ""
    scope: str = ""

    def __post_init__(self) -> None:
        if not _TOKEN(self.scheme):
            raise ValueError(f"scheme={self.scheme!r}: use a token such as 'Bearer' (RFC 9110 section 11.1)")
        for name in ("realm", "error", "description", "scope"):
            if not _SAID(getattr(self, name)):
                value = getattr(self, name)
                raise ValueError(f"{name}={value!r}: use printable ASCII without quotes and backslashes (RFC 6750)")

    def field(self, realm: str, message: str) -> str:
        """The field's value. realm: the configured one. message: the public one."""
        said = {"realm": self.realm or realm, "error": self.error}
        if self.error:
            said["error_description"] = self.description or _UNSAID.sub(" ", message)[:_LONGEST]
        said["scope"] = self.scope
        parameters = ", ".join(f'{name}="{value}"' for name, value in said.items() if value)
        return f"{self.scheme} {parameters}"


def is_realm(value: str) -> bool:
    """Can it be a realm."""
    return bool(value) and _SAID(value) is not None

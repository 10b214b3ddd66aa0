"""How a request proves who sends it: as the operation's security schemes say, else as the service's own 401 asks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from errorkit.catalog import Catalog
from errorkit.errors import AuthenticationError
from errorkit.publish.described_operations import Operation


class Credential(NamedTuple):
    """place: header, query or cookie. value: holds a variable, such as `$TOKEN`, for the secret."""

    place: str
    name: str
    value: str


BEARER = Credential("header", "Authorization", "Bearer $TOKEN")
BASIC = Credential("header", "Authorization", "Basic $CREDENTIALS")
VARIABLES = ("TOKEN", "CREDENTIALS", "API_KEY")
"""All that stand in credentials."""


def required(operation: Operation) -> Iterator[Credential]:
    """What an operation's document asks for (OpenAPI 3.1, Security Scheme Object)."""
    for scheme in operation.schemes:
        kind, name = scheme.get("type"), str(scheme.get("scheme", "")).lower()
        if kind == "apiKey":
            yield Credential(str(scheme.get("in", "header")), str(scheme.get("name", "")), "$API_KEY")
        elif kind in ("oauth2", "openIdConnect") or (kind == "http" and name == "bearer"):
            yield BEARER
        elif kind == "http" and name == "basic":
            yield BASIC
    if operation.wants_authorization and not operation.schemes:
        yield BEARER


def challenged(catalog: Catalog) -> Iterator[Credential]:
    """What the 401 of a catalogue asks for (RFC 9110 11.6.1), if it is one of the known ways."""
    spec = catalog.by_class(AuthenticationError)
    own = next((value for name, value in spec.default_headers.items() if name.lower() == "www-authenticate"), "")
    way = own.partition(" ")[0] or (spec.challenge.scheme if spec.challenge else "")
    if way.lower() in ("bearer", "basic"):
        yield BEARER if way.lower() == "bearer" else BASIC

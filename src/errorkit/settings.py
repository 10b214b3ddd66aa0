"""The types of all settings, for type checkers and editors: what each of them means stands at `errorkit.config.Config`.

Checked when an application is configured is `Config` itself, whatever a type checker has said.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from types import ModuleType
from typing import Any, Literal, TypedDict

from errorkit.adoption import ReaderFunction, UnknownCodes
from errorkit.catalog import Catalog
from errorkit.choosing import Chooser
from errorkit.dialects import Dialect
from errorkit.errors import APIError
from errorkit.events import Level
from errorkit.exchange import Request
from errorkit.failure import Failure
from errorkit.identification import Translator
from errorkit.normalisation import Policy
from errorkit.request_id import RequestIdFormat
from errorkit.tenancy import TenantStatus

__all__ = ["DialectChoice", "ExceptionTable", "PresetName", "Settings"]

PresetName = Literal[
    "problem",
    "openai",
    "anthropic",
    "stripe",
    "google",
    "azure",
    "jsonapi",
    "github",
    "kubernetes",
    "twilio",
    "aws",
    "aws_rest",
    "connect",
    "kaizen",
    "kaiko",
    "kaplaix",
    "korad",
    "agentkavach",
    "fastapi",
    "flask",
    "drf",
]
"""The keys of `errorkit.dialects.PRESETS`."""

DialectChoice = PresetName | Dialect | type[Dialect]
"""One dialect in code. `"module:name"` of one's own is for the environment and for TOML, which cannot import: as a
keyword it works, too, but a type checker would then have to let every misspelt name pass."""

OneChoice = DialectChoice | Literal["observe"]
"""One dialect, or what the application says by itself."""

SpokenChoice = OneChoice | Chooser
"""What is spoken under a path prefix: one of these, or by the request one of several."""

AdoptChoice = DialectChoice | ReaderFunction
"""What reads error bodies of other code: a dialect, or a function."""

Html = Literal["dialect", "application", "page"]
"""What a client that prefers HTML gets."""

ExceptionTable = Mapping[Any, type[APIError] | Translator | str]
"""Exception classes, or `"module:Class"`, to what answers for them: a class, a code, a function. Keys of a mapping are
invariant: were they typed, a table in a variable of its own would be refused."""


class Settings(TypedDict, total=False):
    """Every setting as a keyword: of `install`, `ErrorMiddleware`, `ErrorKit`, `Config` and `Config.load`.

    A function of one's own that hands them on takes `**settings: Unpack[Settings]`.
    """

    dialect: SpokenChoice | Mapping[str, SpokenChoice | None]
    catalog: Catalog | Sequence[type[APIError] | ModuleType] | str
    exceptions: ExceptionTable
    docs_url: str
    realm: str
    normalise: Policy
    adopt: AdoptChoice | Sequence[AdoptChoice]
    unknown_codes: UnknownCodes
    negotiate: bool
    html: Html | Mapping[str, Html] | None
    service_name: str
    hold_start: bool | Mapping[str, bool]
    tenant_status: TenantStatus
    request_id: RequestIdFormat | None
    trust_inbound: bool
    retry_after: Mapping[str, float]
    max_retry_wait: float
    status_missing: int | None
    status_invalid: int | None
    levels: Mapping[str, Level]
    redact: list[str] | tuple[str, ...] | Set[str]
    redact_exception_text: bool
    development: bool
    reraise: bool
    on_failure: Callable[[Failure, Request], None] | None

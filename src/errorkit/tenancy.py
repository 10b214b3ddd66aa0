"""Somebody else's resource does not exist: the rule, for handlers and for answers."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from operator import attrgetter
from typing import Any, Literal, TypeVar

from errorkit.errors import APIError, ForbiddenError, NotFoundError

T = TypeVar("T")

_SEVERAL = (set, frozenset, list)


class _Everyone:
    def __repr__(self) -> str:
        return "EVERYONE"


EVERYONE = _Everyone()
"""The tenant of what every caller may see."""

TenantStatus = Literal[404, 403]
"""404: another tenant's resource looks absent. 403: absent and foreign are both forbidden (AIP-193)."""


def visible(
    resource: T | None,
    *,
    tenant: str | Callable[[T], Any],
    caller: Any,
    error: APIError | type[APIError] = NotFoundError,
    sees_all: bool = False,
) -> T:
    """The resource, if there is one and it is the caller's own, shared with the caller, or everyone's.

    resource: what was looked up; None if there is none.
    tenant: the attribute, or a function, that gives the resource's tenant; a set or a list of those that share it; or
        `EVERYONE`. Where it raises, or gives None, the resource is nobody's, and not the caller's.
    caller: the calling tenant, or a set or a list of those that the caller acts for. None sees nothing but what is
        everyone's.
    sees_all: the caller is an administrator, a support tool: whose the resource is does not matter.
    error: raised for an absent and for a foreign resource alike. The client sees only its
        class's words, so the two cannot be told apart; the log can.
    """
    of = attrgetter(tenant) if isinstance(tenant, str) else tenant  # the same work for both, as far as possible
    owner = failed = None
    if resource is not None:
        try:
            owner = of(resource)
            if sees_all or (owner is not None and _shares(owner, caller)):
                return resource
        except Exception as exception:  # a row that breaks its own rule must not look different from none
            failed = type(exception).__name__
    raise _concealed(error, "absent" if resource is None else "cross_tenant", owner, caller, failed)


def _shares(owner: Any, caller: Any) -> bool:
    """Is the caller among the owners. A tuple is one tenant, whose key is composite."""
    if owner is EVERYONE:
        return True
    owners = owner if isinstance(owner, _SEVERAL) else (owner,)
    callers = caller if isinstance(caller, _SEVERAL) else (caller,)
    return any(one == other for one in owners for other in callers if other is not None)


def _concealed(error: APIError | type[APIError], reason: str, owner: Any, caller: Any, failed: str | None) -> APIError:
    occurrence = error() if isinstance(error, type) else copy(error)  # an instance may serve several requests
    occurrence.concealed = True
    occurrence.reason, occurrence.owner, occurrence.caller = reason, owner, caller
    if failed is not None:
        occurrence.context = {**occurrence.context, "tenant": f"{failed} while it was read"}
    return occurrence


def shown_class(
    error: APIError,
    tenant_status: TenantStatus,
    not_found: type[APIError],
    forbidden: type[APIError],
) -> type[APIError] | None:
    """The class whose words alone the client may see, or None if the error may speak for itself.

    not_found, forbidden: the catalogue's classes for 404 and 403.
    """
    if not (error.concealed or error.concealable):
        return None
    if tenant_status == 403:
        return forbidden
    if isinstance(error, ForbiddenError):
        return error.conceal_as or not_found
    return type(error)

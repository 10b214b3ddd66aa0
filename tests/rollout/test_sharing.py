"""Resources that several tenants share, callers who act for several, and administrators."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errorkit import NotFoundError, visible
from errorkit.tenancy import EVERYONE

tenants = st.sampled_from(["acme", "globex", "initech", 7, ("eu", 7)])
several = st.sets(tenants, max_size=3) | st.frozensets(tenants, max_size=3) | st.lists(tenants, max_size=3)


def sees(owner: Any, caller: Any, **more: Any) -> bool:
    try:
        return visible([owner], tenant=lambda resource: resource[0], caller=caller, **more) == [owner]
    except NotFoundError as error:
        return error.reason != "cross_tenant"


@given(owner=tenants | several, caller=tenants | several)
def test_a_caller_sees_what_one_of_its_tenants_shares(owner: Any, caller: Any) -> None:
    many = (set, frozenset, list)
    owners = list(owner) if isinstance(owner, many) else [owner]
    callers = list(caller) if isinstance(caller, many) else [caller]
    assert sees(owner, caller) == any(each in callers for each in owners)


@pytest.mark.parametrize("caller", ["acme", None, set(), {"acme"}])
def test_everyone_sees_what_is_everyones(caller: Any) -> None:
    assert sees(EVERYONE, caller)


@pytest.mark.parametrize("owner", ["acme", {"acme", "globex"}, None, set()])
def test_nobody_sees_what_is_nobodys_and_no_caller_is_nobody(owner: Any) -> None:
    assert not sees(owner, None)
    assert not sees(None, "acme")
    assert not sees({None, "globex"}, [None])


@pytest.mark.parametrize("owner", ["acme", {"acme"}, None])
def test_an_administrator_sees_what_is_there(owner: Any) -> None:
    assert sees(owner, "support", sees_all=True)


def test_what_is_absent_is_absent_for_an_administrator_too() -> None:
    with pytest.raises(NotFoundError) as raised:
        visible(None, tenant="tenant_id", caller="support", sees_all=True)
    assert raised.value.reason == "absent"

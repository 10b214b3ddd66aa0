"""Can somebody else's resource and an absent one be told apart by time."""

from __future__ import annotations

from typing import Any, NamedTuple

from benchmarks.drivers import asgi
from benchmarks.scenarios import Scenario
from errorkit import visible
from errorkit.testing import TimingReport, compare_timing


class Invoice(NamedTuple):
    """A tenant's resource."""

    tenant: str


def concealment(*, samples: int) -> TimingReport:
    """Starlette, one lookup in a dict, foreign against absent; events are filtered out."""
    from starlette.applications import Starlette
    from starlette.routing import Route

    from errorkit.starlette import install

    invoices = {"1": Invoice("globex"), "3": Invoice("acme")}

    async def invoice(request: Any) -> Any:
        return visible(invoices.get(request.path_params["number"]), tenant="tenant", caller="acme")

    app = Starlette(routes=[Route("/invoices/{number}", invoice)])
    install(app, dialect="problem")
    foreign, absent = (asgi(app, Scenario(name, f"/invoices/{name}", 404))[0] for name in "12")
    return compare_timing(lambda: absent(1), lambda: foreign(1), samples=samples)

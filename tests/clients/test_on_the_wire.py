"""What holds for every preset, seen raw: no SDK looks at it, but every proxy and cache may."""

from __future__ import annotations

import httpx
import pytest

from clients.failing_service import CASES, SECRET, Service
from errorkit.dialects import PRESETS, get_dialect

CLIENT = httpx.Client()


@pytest.mark.parametrize("name", PRESETS)
def test_every_answer_keeps_http_and_its_secrets(service: Service, name: str) -> None:
    """Media type, one fresh id, whole seconds for 429 and 503 alone, challenges, and no word of a crash."""
    dialect, ids = get_dialect(name), set()
    for case in (*CASES, "rate_limited"):
        run = service.run(name, case)
        answer = CLIENT.get(run.url)
        assert answer.headers["content-type"] == dialect.media_type
        assert answer.headers["content-length"] == str(len(answer.content))
        assert isinstance(answer.json(), dict)
        assert answer.headers.get_list(dialect.request_id_header) == [run.request_id]
        ids.add(run.request_id)
        assert ("retry-after" in answer.headers) == (case in ("rate_limited", "unavailable")), case
        assert answer.headers.get("retry-after", "1") == "1"
        assert ("www-authenticate" in answer.headers) == (case == "authentication")
        assert answer.headers.get("allow") == ("TRACE" if case == "method_not_allowed" else None)
        assert answer.headers["cache-control"] == "no-store"
        assert SECRET not in answer.text
        if case in CASES and name != "connect":
            invalid = case == "validation"
            assert answer.status_code == (dialect.status_invalid if invalid else CASES[case].status)
    assert len(ids) == len(CASES) + 1


@pytest.mark.parametrize("name", PRESETS)
def test_another_tenants_resource_looks_absent(service: Service, name: str) -> None:
    """Status, header fields and body are the same, but for the id and the instant."""
    dialect = get_dialect(name)
    seen = []
    for case in ("not_found", "cross_tenant"):
        run = service.run(name, case)
        answer = CLIENT.get(run.url, headers={dialect.request_id_header: "same"})
        assert answer.headers[dialect.request_id_header] == "same"
        fields = [(field, value) for field, value in answer.headers.multi_items() if field != "date"]
        seen.append((answer.status_code, fields, answer.content))
    assert seen[0] == seen[1]

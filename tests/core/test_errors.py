"""The exceptions that handlers raise, and the catalogue that documents them."""

from __future__ import annotations

import copy
import pickle
import re
import types
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flit_core import buildapi

import errorkit
from errorkit import errors
from errorkit.catalog import Catalog, ErrorSpec
from errorkit.config import ConfigurationError
from errorkit.errors import STANDARD, APIError, Example
from errorkit.failure import Detail
from errorkit.retry import RateLimit


def test_the_front_door_is_locked() -> None:
    """A name is importable from errorkit if, and only if, it is listed there."""
    assert sorted(errorkit.__all__) == [
        "APIError",
        "AuthenticationError",
        "BadRequestError",
        "Catalog",
        "Challenge",
        "ConflictError",
        "Detail",
        "Dialect",
        "ErrorSpec",
        "ForbiddenError",
        "NotFoundError",
        "RateLimit",
        "RateLimitError",
        "ServiceUnavailableError",
        "ValidationError",
        "__version__",
        "get_request_id",
        "visible",
    ]
    assert all(hasattr(errorkit, name) for name in errorkit.__all__)


def test_the_version_is_that_of_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The build reads it where it stands, so that what is imported and what is installed say the same."""
    monkeypatch.chdir(Path(__file__).parents[2])
    built = tmp_path / buildapi.prepare_metadata_for_build_wheel(str(tmp_path)) / "METADATA"
    assert f"\nVersion: {errorkit.__version__}\n" in built.read_text()


def test_the_family_tree_is_drawn_as_it_is() -> None:
    """The tree in the module's docstring names every class with its status, in order."""
    drawn = re.findall(r"[├└]── (\w+)(?: (\d+))?", errors.__doc__ or "")
    real = [(cls.__name__, cls.status, APIError in cls.__bases__) for cls in STANDARD]
    assert [name for name, _ in drawn] == [name for name, _, _ in real]
    for (_, status), (_, declared, is_top) in zip(drawn, real, strict=True):
        assert status == (str(declared) if is_top else "")


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 406, 408, 409, 410, 412, 413, 415, 422, 423, 428, 429, 431, 451, 500, 501, 502, 503, 504])  # fmt: skip
def test_every_promised_status_has_a_class(status: int) -> None:
    """The standard classes cover the statuses that services answer with."""
    assert any(cls.status == status for cls in STANDARD)


@pytest.mark.parametrize("cls", STANDARD, ids=lambda cls: cls.__name__)
def test_errors_survive_pickle_and_copies(cls: type[APIError]) -> None:
    """Message, facts and class come back equal from another process."""
    error = cls(
        "words",
        param="p",
        details=[Detail(("a", 0), "m")],
        retry_after=timedelta(seconds=3),
        headers={"X-A": "1"},
        rate_limit=RateLimit(1, 0),
        context={"k": [1]},
        hint="h",
    )
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(twin) is cls
        assert (twin.args, str(twin), vars(twin)) == (("words",), "words", vars(error))


def test_an_error_that_forbids_survives_pickle_with_its_tenants() -> None:
    """A constructor of its own does not get in the way."""
    error = errors.ForbiddenError(resource_tenant="t2", caller_tenant="t1", conceal_as=errors.GoneError)
    twin = pickle.loads(pickle.dumps(error))
    assert (twin.owner, twin.caller, twin.conceal_as, twin.concealed) == ("t2", "t1", errors.GoneError, True)


def test_causes_are_kept() -> None:
    """`raise ... from` is the operator's chain, and stays."""
    cause = KeyError("k")
    with pytest.raises(errors.NotFoundError) as caught:
        raise errors.NotFoundError from cause
    assert caught.value.__cause__ is cause


def test_observers_read_the_status() -> None:
    """`status_code` is what error reporters look for, and cannot be set."""
    error: Any = errors.ServiceUnavailableError()
    assert error.status_code == 503
    with pytest.raises(AttributeError):
        error.status_code = 200


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"code": "Not-Snake"}, "lower snake case"),
        ({"code": 7}, "lower snake case"),
        ({"status": 399}, "400..599"),
        ({"status": True}, "400..599"),
        ({"title": 1}, "use a str"),
        ({"retryable": "yes"}, "True or False"),
        ({"causes": "one"}, "tuple"),
    ],
)
def test_a_bad_declaration_is_refused_where_it_stands(body: dict[str, Any], words: str) -> None:
    """A class that could not be served cannot be defined."""
    with pytest.raises((TypeError, ValueError), match=words) as caught:
        type("Wrong", (APIError,), {"__module__": "shop.errors", **body})
    assert "shop.errors.Wrong" in str(caught.value)


@pytest.mark.parametrize(
    ("wait", "words"),
    [("5", "type str"), (True, "type bool"), (float("nan"), "NaN"), (datetime(2026, 1, 1), "time zone")],
)
def test_a_wait_that_cannot_be_sent_is_refused_at_the_raise_site(wait: Any, words: str) -> None:
    """Seconds, a timedelta or an aware datetime; nothing else."""
    with pytest.raises((TypeError, ValueError), match=words):
        errors.RateLimitError(retry_after=wait)


def test_zero_is_a_wait() -> None:
    """Zero seconds is not "no wait"."""
    assert errors.RateLimitError(retry_after=0).retry_after == 0


def test_an_extension_may_not_take_a_member_with_a_meaning() -> None:
    """`status` is not the author's to redefine."""
    with pytest.raises(TypeError, match="'status' has a meaning"):
        errors.ConflictError(status="x")


def test_conceal_as_is_a_class() -> None:
    """A mistake in the tenant rule must not wait for production."""
    with pytest.raises(TypeError, match="conceal_as="):
        errors.ForbiddenError(conceal_as="not_found")  # type: ignore[arg-type]


class _A(errors.ConflictError):
    """A conflict of A."""

    code = "taken"


class _B(errors.ConflictError):
    """Another meaning."""

    code = "taken"


class _Own(errors.InternalError):
    """Ours."""

    code, status, message = "internal", 500, "Sorry."


class _Stolen(errors.ConflictError):
    """No relation."""

    code = "not_found"


def test_a_clash_names_both_places() -> None:
    """One code has one meaning."""
    with pytest.raises(ValueError, match=r"'taken' is declared by .*_A and by .*_B"):
        Catalog([_A, _B])
    with pytest.raises(ValueError, match=r"'not_found' is declared by .*_Stolen and by .*NotFoundError"):
        Catalog([_Stolen])


def test_a_framework_code_is_overridden_by_deriving_from_it() -> None:
    """Its words are the catalogue's from then on, also where the standard class is raised."""
    catalog = Catalog([_Own])
    assert catalog.by_code("internal").message == "Sorry."
    assert catalog.by_status(500).cls is _Own
    assert catalog.by_class(errors.InternalError).cls is _Own
    assert len(catalog) == len(STANDARD)


def test_order_is_the_authors_and_then_the_standard() -> None:
    """Stable order: what is generated from it does not move about."""
    codes = [spec.code for spec in Catalog([_A])]
    assert codes[0] == "taken"
    assert codes[1:] == [cls.code for cls in STANDARD]
    assert "taken" in Catalog([_A])
    assert "taken" not in Catalog()


def test_a_module_gives_its_own_errors() -> None:
    """Classes that it defines with a code of their own; nothing that it only imports."""
    module = types.ModuleType("shop.errors")
    vars(module).update(
        A=type("A", (APIError,), {"code": "a", "status": 400, "__module__": "shop.errors"}),
        Helper=type("Helper", (APIError,), {"__module__": "shop.errors"}),
        Imported=_A,
        other=1,
    )
    assert [spec.code for spec in Catalog([module])][:2] == ["a", "bad_request"]


def test_only_classes_and_modules_are_listed() -> None:
    """Anything else is refused, and named."""
    with pytest.raises(ConfigurationError, match="catalog='x': this cannot be listed"):
        Catalog(["x"])  # type: ignore[list-item]


def test_an_unknown_code_is_answered_with_the_nearest() -> None:
    """Did you mean."""
    with pytest.raises(KeyError, match="did you mean 'conflict'"):
        Catalog().by_code("conflic")
    with pytest.raises(KeyError, match="known are"):
        Catalog().by_code("zzzzzzzzzzzz")


@pytest.mark.parametrize(
    ("status", "code", "title"),
    [
        (418, "im_a_teapot", "I'm a Teapot"),
        (421, "misdirected_request", "Misdirected Request"),
        (477, "http_477", "Client Error"),
        (599, "http_599", "Server Error"),
        (499, "client_closed_request", "Client Closed Request"),
        (422, "unprocessable_content", "Unprocessable Content"),
    ],
)
def test_every_status_has_a_spec(status: int, code: str, title: str) -> None:
    """An answer of which only the status is known still gets a code."""
    catalog = Catalog()
    spec = catalog.by_status(status)
    assert (spec.code, spec.status, spec.title) == (code, status, title)
    assert catalog.by_status(status) is spec


def test_a_spec_is_what_the_class_declares() -> None:
    """Nothing is lost on the way to the reference page."""

    class Documented(errors.RateLimitError):
        """One line.

        More lines.
        """

        code, causes, resolution = "documented", ("a", "b"), "Wait."
        examples = (Example("t", "{", "{}"),)
        propagate = False

    spec = ErrorSpec.of(Documented)
    assert spec.description == "One line."
    assert (spec.causes, spec.resolution, spec.examples) == (("a", "b"), "Wait.", (Example("t", "{", "{}"),))
    assert (spec.status, spec.retryable, spec.propagate, spec.default_retry_after) == (429, True, False, 1)
    assert ErrorSpec.of(type("Bare", (APIError,), {"code": "bare"})).title == "Internal Server Error"


def test_a_wait_may_be_an_instant() -> None:
    """An aware datetime is kept as it is."""
    instant = datetime.now(UTC) + timedelta(hours=1)
    assert errors.ServiceUnavailableError(retry_after=instant).retry_after == instant

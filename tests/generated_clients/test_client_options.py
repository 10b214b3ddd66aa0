"""What can be chosen about a generated client, and what is refused with a way out."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sample import catalog

from errorkit import errors
from errorkit.catalog import Catalog
from errorkit.dialects import Dialect, get_dialect
from errorkit.dialects.kaiko import Kaiko
from errorkit.dialects.openai import OpenAI
from errorkit.failure import Public
from errorkit.publish import Options
from errorkit.publish.clients import python as client_python
from errorkit.publish.clients import typescript as client_typescript
from errorkit.publish.envelope_fields import code_path, parse, places


def source(dialect: Dialect | None = None, *, known: Catalog = catalog, title: str = "Acme API", **extra: str) -> str:
    """The generated `errors.py`."""
    options = Options(title=title, extra=extra)
    files = client_python.generate(known, dialect or get_dialect("problem"), options)
    return files[f"{extra.get('directory', 'client')}/errors.py"]


def classes(text: str) -> set[str]:
    """The classes of a module."""
    return set(re.findall(r"^class (\w+)", text, re.MULTILINE))


@pytest.mark.parametrize(
    ("title", "prefix"),
    [
        ("Acme API", "Acme"),
        ("acme billing", "AcmeBilling"),
        ("API", "Service"),
        ("", "Service"),
        ("Zürich API", "Zurich"),
        ("注文", "Service"),
    ],
)
def test_the_prefix_comes_from_the_title(title: str, prefix: str) -> None:
    """Unless one is given."""
    assert {f"{prefix}APIError", f"{prefix}NetworkError", f"{prefix}Exception"} <= classes(source(title=title))
    assert "OtherAPIError" in classes(source(title=title, prefix="Other"))


def test_every_common_class_can_be_named() -> None:
    """Each by the option of its role."""
    roles = ("root", "api", "request", "network", "timeout", "decode")
    names = {role: f"My{role.title()}" for role in roles}
    assert set(names.values()) <= classes(source(**names))


def test_a_code_can_be_given_a_class_name() -> None:
    """Where the one from its spelling does not please."""
    found = classes(source(names="rate_limited=SlowDownError, internal=OopsError"))
    assert {"SlowDownError", "OopsError"} <= found
    assert not {"RateLimitedError", "InternalError"} & found


class Numbered(errors.ConflictError):
    """Its class would be called like that of a status."""

    code = "status_404"


def test_no_class_hides_another() -> None:
    """`timeout` and `not_implemented` would be called as builtins are, `status_404` as the class of a status."""
    found = classes(source(known=Catalog([*(spec.cls for spec in catalog), Numbered])))
    assert {"TimeoutCodeError", "NotImplementedCodeError", "Status404CodeError"} <= found
    assert not {"TimeoutError", "NotImplementedError"} & found


class Shouting(OpenAI):
    """Spells two codes alike by itself; renames that do it are refused."""

    def spell(self, code: str) -> str:
        """The code, or that of all that is absent."""
        return super().spell("not_found" if code == "gone" else code)


def test_codes_that_are_spelled_alike_are_one_class() -> None:
    """No client can tell them apart; the first of the catalogue stands for both."""
    text = source(Shouting(code_case="upper"))
    assert text.count('Literal["NOT_FOUND"]') == 1
    assert "class NotFoundError(Status404Error)" in text
    assert "class GoneError" not in text


def test_a_validation_failure_that_comes_with_two_statuses_belongs_to_their_family() -> None:
    """Kaiko answers 400 for a missing field and 422 for a bad one; the configuration may say otherwise."""
    assert "class ValidationFailedError(Status4xxError)" in source(Kaiko())
    options = Options(status_missing=400, status_invalid=400, extra={})
    text = client_python.generate(catalog, Kaiko(), options)["client/errors.py"]
    assert "class ValidationFailedError(Status400Error)" in text


@pytest.mark.parametrize("generate", [client_python.generate, client_typescript.generate])
def test_the_same_input_gives_the_same_files(generate: Any) -> None:
    """So that a stale file can be told from a fresh one; they lie where they should."""
    options = Options(title="Acme", extra={"directory": "src/acme"})
    first, second = (generate(catalog, get_dialect("korad"), options) for _ in range(2))
    assert first == second
    assert all(path.startswith("src/acme/") for path in first)


class Clash(errors.ConflictError):
    """Its class is called like another's."""

    code = "invoice_not_found_error"


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"directory": "../elsewhere"}, "directory='../elsewhere': use a path within the output"),
        ({"directory": "/etc"}, "directory='/etc': use a path within the output"),
        ({"prefix": "not a name"}, "cannot be the root class"),
        ({"prefix": "P" * 40}, "up to 30"),
        ({"network": "ValueError"}, "cannot be the network class"),
        ({"network": "Same", "timeout": "Same"}, "name of two classes"),
        ({"names": "no_such_code=X"}, "'no_such_code=X' is not code=Name"),
        ({"names": "conflict"}, "'conflict' is not code=Name"),
        ({"names": "conflict=GoneError"}, "names=gone=OtherName"),
        ({"names": "conflict=KeyError"}, "taken by the language"),
        ({"fail_open": "perhaps"}, "use yes or no"),
    ],
)
def test_what_cannot_be_used_is_refused(extra: dict[str, str], words: str) -> None:
    """With the value, the reason and the way out."""
    with pytest.raises(ValueError, match=re.escape(words)):
        source(**extra)


def test_two_codes_with_one_class_name_are_refused() -> None:
    """The second is named, and the option that helps."""
    with pytest.raises(ValueError, match="names=invoice_not_found_error=OtherName"):
        source(known=Catalog([*(spec.cls for spec in catalog), Clash]))


def test_a_dialect_that_does_not_say_where_its_code_is_is_refused() -> None:
    """There would be nothing to tell errors apart by."""

    class Wordy(Dialect):
        def write(self, public: Public) -> dict[str, str]:
            return {"text": f"{self.spell(public.code)}: {public.message}"}

    with pytest.raises(ValueError, match="does not say where its code is"):
        source(Wordy())
    with pytest.raises(ValueError, match="does not say where its code is"):
        source(OpenAI(places={"code": ()}))


def test_where_a_dialect_of_ones_own_puts_things_is_found_out_by_writing() -> None:
    """Its author says nothing twice, also where a body with findings looks different."""

    class Forked(Dialect):
        name = "forked"

        def read(self, status: int, headers: Any, body: Any) -> Public:
            return Public(status=status)

        def write(self, public: Public) -> dict[str, Any]:
            if public.details:
                return {"problems": [{"why": detail.message} for detail in public.details], "text": public.message}
            return {"error": {"code": self.spell(public.code)}, "text": public.message}

    found = places(Forked())
    assert found == {"details": (("problems",),), "message": (("text",),), "code": (("error", "code"),)}
    assert code_path(Forked()) == ("error", "code")
    assert '"code": (("error", "code"),),' in source(Forked())


def test_what_a_dialect_says_of_its_places_is_believed() -> None:
    """For what writing does not show: filters, other forms to read, and that something is not to be read."""
    dialect = OpenAI(places={"code": ("$.errors[?@.main=='yes'].code", "$.error.code"), "param": ()})
    found = places(dialect)
    assert found["code"] == (("errors", ("main", "yes"), "code"), ("error", "code"))
    assert (found["param"], found["message"]) == ((), (("error", "message"),))
    assert code_path(dialect) == ("error", "code")


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("$.error.code", ("error", "code")),
        ("$.errors[0]['my code']", ("errors", 0, "my code")),
        ("$.d[?@['@type']=='t.com/x'].a", ("d", ("@type", "t.com/x"), "a")),
        ("$[?@.kind == 'main'].code", (("kind", "main"), "code")),
    ],
)
def test_paths_are_read(path: str, steps: tuple[Any, ...]) -> None:
    """Members, indices and filters (RFC 9535)."""
    assert parse(path) == steps


@pytest.mark.parametrize("path", ["", "$", "code", "$.a..b", "$.a[*]", "$.a[1:2]", "$.a.", "x.code", "$.a[?@.b>1]"])
def test_other_paths_are_refused(path: str) -> None:
    """At generation, not in the client."""
    with pytest.raises(ValueError, match="is not a path such as"):
        parse(path)


def test_a_class_name_longer_than_a_line_is_wrapped_as_a_formatter_would(tmp_path: Path) -> None:
    """One long word has no place to break but the parentheses."""
    endless = type("Endless", (errors.ConflictError,), {"code": "e" * 66, "__doc__": "Long."})
    text = source(known=Catalog([endless]))
    assert f"class E{'e' * 65}Error(\n    Status409Error\n):" in text
    (tmp_path / "errors.py").write_text(text)
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--check", str(tmp_path / "errors.py")]
    assert subprocess.run(command, check=False).returncode == 0


@pytest.mark.parametrize(("directory", "where"), [("", ""), (".", ""), ("./a//b/", "a/b/")])
def test_the_files_stay_within_the_output(directory: str, where: str) -> None:
    """Without a directory they are in the output itself; no form of it leads to another place."""
    options = Options(title="Acme", extra={"directory": directory})
    for generator, name in ((client_python, "errors.py"), (client_typescript, "errors.ts")):
        files = generator.generate(catalog, get_dialect("problem"), options)
        assert where + name in files
        assert all(path.startswith(where) and not path.startswith("/") for path in files)

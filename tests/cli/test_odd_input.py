"""The command line with odd input: what it cannot do it says in words, and it loses nothing of what it shows."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from errorkit.cli import app

SERVICE = '''
import sys
from errorkit import APIError, Catalog, Dialect, NotFoundError
from errorkit.config import Config
from errorkit.dialects.openai import OpenAI
from errorkit.handler import ErrorHandler

class Odd(NotFoundError):
    """There is no <b>such</b> thing: [/red] [bold] :key: 漢字."""

    code, title = "odd", "<script>alert('x')</script>"
    message = "The [red]thing[/] " + "was not found and not found again " * 20
    causes = ("x" * 300, "Größe | 🎉")
    resolution = 'Do </textarea> """ and \\\\ back */ star.'

class Class(APIError):
    """A word of the language."""

    code, status = "class", 409

class None_(APIError):
    """Another."""

    code, status = "none", 409

catalog = Catalog([Odd, Class, None_])
empty = Catalog()
config = Config(catalog=catalog, dialect=OpenAI(renames={"odd": "very_odd"}))
handler = ErrorHandler(config)

def needs_a_database():
    raise KeyError("DATABASE_URL")

def gives_up():
    sys.exit("no database")

def wrong_setting():
    return Config(dialct="openai")

def lacks_a_package():
    import no_such_package_anywhere

class Needy(Dialect):
    def __init__(self, version):
        super().__init__()

class Mute(Dialect):
    name = "mute"
'''


@pytest.fixture(autouse=True)
def _service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "odd_service.py").write_text(SERVICE)
    yield
    for name in [name for name in sys.modules if name.endswith("_service")]:
        del sys.modules[name]


def run(*arguments: object, code: int = 0) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result


CATALOG = "odd_service:catalog"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["export", "odd_service:needs_a_database"],
            "calling 'odd_service:needs_a_database' failed: KeyError: 'DATABASE_URL'",
        ),
        (["export", "odd_service:gives_up"], "calling 'odd_service:gives_up' failed: SystemExit: no database"),
        (
            ["export", "odd_service:wrong_setting"],
            "calling 'odd_service:wrong_setting' failed: errorkit configuration: dialct",
        ),
        (
            ["export", "odd_service:lacks_a_package"],
            "failed: ModuleNotFoundError: No module named 'no_such_package_anywhere'",
        ),
        (["export", "odd_service:Odd"], "is type. Looked for: a Catalog"),
        (["export", "odd_service:catalog.nothing"], "module 'odd_service' has no 'catalog.nothing'"),
        (["export", CATALOG, "--dialect", "odd_service:Needy"], "calling 'odd_service:Needy' failed: TypeError: "),
        (
            ["export", CATALOG, "--dialect", "odd_service:Mute"],
            "dialect=<Mute>: it has no write(); define def write(self, public)",
        ),
        (["docs", CATALOG, "--output", "odd_service.py"], "odd_service.py: File exists"),
        (["export", CATALOG, "--output", "odd_service.py/x.json"], "odd_service.py: File exists"),
        (["schema", "--output", "odd_service.py/x.json"], "odd_service.py: File exists"),
        (["diff", "bytes.json", CATALOG], "bytes.json cannot be read: 'utf-8' codec can't decode byte 0xff"),
        (["openapi", CATALOG, "catalog.json"], "only OpenAPI 3 documents are understood"),
        (["check", CATALOG, "--openapi", "absent.yaml"], "absent.yaml: No such file or directory; looked in"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_done_is_said_in_words(arguments: list[str], words: str) -> None:
    """Exit code 2, no traceback, which thing failed and why."""
    Path("bytes.json").write_bytes(b"\xff\xfe")
    Path("catalog.json").write_text("{}")
    result = run(*arguments, code=2)
    assert words in result.stderr.replace("\n", "")
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (
            "import no_such_package_anywhere",
            "importing 'other_service' failed: No module named 'no_such_package_anywhere'",
        ),
        (
            "from errorkit.config import Config\nconfig = Config(dialct='openai')",
            "importing 'other_service' failed: errorkit configuration: dialct",
        ),
        ("raise SystemExit('no database')", "importing 'other_service' failed: SystemExit: no database"),
        (
            "from flask import request, g\nfrom errorkit import Catalog\ncodes = Catalog()",
            "module 'other_service' has no 'catalog'; it has: codes",
        ),
    ],
)
def test_a_module_that_gives_nothing_is_told_with_its_reason(source: str, words: str) -> None:
    """Also where its other names answer nothing outside of a request."""
    Path("other_service.py").write_text(source + "\n")
    assert words in run("export", "other_service:catalog", code=2).stderr.replace("\n", "")


def test_a_command_whose_extra_is_missing_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pages need jinja2, the other commands do not."""
    for name in [name for name in sys.modules if name.startswith("errorkit.publish.reference")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    assert "this command needs 'jinja2', which is not installed" in run("docs", CATALOG, "-o", "site", code=2).stderr
    assert json.loads(run("export", CATALOG).stdout)


def test_a_file_that_is_no_text_is_stale_and_is_replaced() -> None:
    """Whatever lies where a file is written."""
    Path("errors.json").write_bytes(b"\xff\xfe")
    assert "stale: 1 of 1 files" in run("export", CATALOG, "-o", "errors.json", "--check", code=1).stderr
    run("export", CATALOG, "-o", "errors.json")
    run("export", CATALOG, "-o", "errors.json", "--check")


def test_two_files_are_compared() -> None:
    """`diff` takes an exported file on both sides; what a Windows path or a target is, is seen from what exists."""
    run("export", "odd_service:empty", "-o", "old.json")
    run("export", CATALOG, "-o", "new.json")
    assert "the code was removed" in run("diff", "new.json", "old.json", code=1).stdout
    assert "fine      class  new code, status 409" in run("diff", "old.json", "new.json").stdout
    Path("new:er.json").write_text(Path("new.json").read_text())
    assert run("diff", "new.json", "new:er.json").stdout == "No changes.\n"


@pytest.mark.parametrize("command", ["explain", "preview"])
@pytest.mark.parametrize("code", ["odd", "very_odd"])
def test_a_code_is_shown_whole_whatever_the_terminals_width(command: str, code: str) -> None:
    """Canonical or as the service spells it; nothing is cut, and nothing in it is markup."""
    shown = run(command, "odd_service:config", code).stdout
    body = json.loads(shown[shown.index("\n{") :])
    assert body["error"]["code"] == "very_odd"
    assert body["error"]["message"].endswith("not found and not found again ")
    if command == "explain":
        assert "There is no <b>such</b> thing: [/red] [bold] :key: 漢字." in shown
        assert shown.count("x") >= 300
        assert "…" not in shown


def test_the_services_own_dialect_wins_over_the_preset_of_its_name() -> None:
    """A configured OpenAI keeps its configuration; a handler is a target, and a class by path a dialect."""

    def spelling(*arguments: str) -> str:
        errors = json.loads(run("export", *arguments).stdout)["errors"]
        return str(next(error["spelling"] for error in errors if error["code"] == "odd"))

    assert spelling("odd_service:config", "--dialect", "openai") == "very_odd"
    assert spelling("odd_service:handler") == "very_odd"
    assert spelling(CATALOG, "--dialect", "openai") == "odd"
    assert spelling(CATALOG, "--dialect", "errorkit.dialects.google:Google") == "ODD"


def test_other_middlewares_are_passed_over_in_the_search_for_errorkits() -> None:
    """Whatever stands before it; a settled handler is taken as it is."""
    Path("layered_service.py").write_text(
        "from starlette.applications import Starlette\nfrom starlette.middleware.gzip import GZipMiddleware\n"
        "from errorkit.starlette import ErrorMiddleware\nfrom odd_service import handler\n"
        "app = Starlette()\napp.add_middleware(ErrorMiddleware, handler=handler)\napp.add_middleware(GZipMiddleware)\n"
        "bare = Starlette()\nbare.add_middleware(GZipMiddleware)\n"
    )
    assert json.loads(run("export", "layered_service:app").stdout)["dialect"]["name"] == "openai"
    assert "is Starlette. Looked for" in run("export", "layered_service:bare", code=2).stderr.replace("\n", "")


def test_an_empty_catalogue_is_published_like_any_other() -> None:
    """It holds the standard errors."""
    for command in (
        ["docs", "-o", "site"],
        ["docs", "-f", "markdown", "-o", "markdown"],
        ["client", "python", "-o", "python"],
        ["client", "typescript", "-o", "typescript"],
        ["gateway", "nginx", "-o", "nginx"],
    ):
        words = command[:2] if command[0] in ("client", "gateway") else command[:1]
        run(*words, "odd_service:empty", *command[len(words) :])
    assert Path("site/not_found/index.html").exists()
    assert "Of this service" not in Path("site/index.html").read_text()


def test_markup_in_a_catalogues_words_is_words() -> None:
    """On pages and in Markdown, where a browser would take it for elements, and in source, where it would end a text."""
    run("docs", CATALOG, "-o", "site")
    page = Path("site/odd/index.html").read_text()
    assert "<script>alert" not in page
    assert "There is no &lt;b&gt;such&lt;/b&gt; thing" in page
    run("docs", CATALOG, "-f", "markdown", "-o", "markdown")
    text = Path("markdown/odd.md").read_text()
    assert "· &lt;script>alert('x')&lt;/script> ·" in text
    assert "There is no &lt;b>such&lt;/b> thing" in text
    assert "There is no &lt;b>such&lt;/b> thing" in Path("markdown/index.md").read_text()
    run("client", "python", CATALOG, "-o", "python")
    source = Path("python/client/errors.py").read_text()
    compile(source, "errors.py", "exec")
    assert "class ClassError(" in source
    assert "class NoneError(" in source
    run("client", "typescript", CATALOG, "-o", "typescript")
    assert "*/ star" not in Path("typescript/client/errors.ts").read_text()


PREFIXES = """
from fastapi import FastAPI
from errorkit import Catalog
from errorkit.errors import PaymentRequiredError
from errorkit.fastapi import errors, install

class BudgetSpent(PaymentRequiredError):
    \"\"\"The budget is spent.\"\"\"

    code = "budget_spent"

app = FastAPI()
install(app, dialect={"/": "problem", "/rpc": "connect", "/old": None}, catalog=Catalog([BudgetSpent]))

@app.get("/plain", responses=errors(BudgetSpent))
@app.get("/rpc/call", responses=errors(BudgetSpent))
@app.get("/old/one", responses=errors(BudgetSpent))
def spend():
    raise BudgetSpent
"""


def test_a_client_reads_all_dialects_or_says_which_it_does_not() -> None:
    Path("prefixed_service.py").write_text(PREFIXES)
    result = run("client", "python", "prefixed_service:app", "-o", "all")
    assert "not read" not in result.stderr
    assert Path("all/client/errors.py").read_text().count("    _Form(") == 2
    result = run("client", "python", "prefixed_service:app", "--dialect", "problem", "-o", "one")
    assert result.stderr == "not read: the errors under /rpc, which are in 'connect'\n4 files in one\n"
    assert Path("one/client/errors.py").read_text().count("    _Form(") == 1


def test_every_path_is_judged_and_described_in_its_own_dialect() -> None:
    """`connect` sends a 402 as 400, `problem` does not, and a path without a dialect is left alone."""
    Path("prefixed_service.py").write_text(PREFIXES)
    assert "3 operations: 0 faults" in run("check", "prefixed_service:app").stdout
    operation: dict[str, Any] = {"responses": {"200": {"description": "OK"}}, "x-errorkit-codes": ["budget_spent"]}
    paths = {path: {"get": operation} for path in ("/plain", "/rpc/call", "/old/one")}
    Path("api.json").write_text(json.dumps({"openapi": "3.1.0", "info": {}, "paths": paths}))

    def described(*options: str) -> dict[str, list[str]]:
        found = json.loads(run("openapi", "prefixed_service:app", "api.json", *options).stdout)["paths"]
        return {path: sorted(item["get"]["responses"]) for path, item in found.items()}

    assert described() == {"/plain": ["200", "402", "500"], "/rpc/call": ["200", "400", "500"], "/old/one": ["200"]}
    assert set(map(tuple, described("--dialect", "problem").values())) == {("200", "402", "500")}


@pytest.mark.parametrize("package", ["json", "no_such_package", "errorkit"])
def test_a_package_that_has_none_of_the_handlers_is_no_success(package: str) -> None:
    """A gate that reads nothing does not pass."""
    Path("prefixed_service.py").write_text(PREFIXES)
    result = run("check", "prefixed_service:app", "--package", package, code=2)
    assert f"none of the 3 handlers is in the package '{package}'" in result.stderr.replace("\n", "")

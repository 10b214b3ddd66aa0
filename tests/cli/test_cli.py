"""The command line: every command, its files, its exit codes and what it says when it cannot."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import validate
from typer.testing import CliRunner, Result

from cli.shops import shop
from errorkit.cli import app
from errorkit.publish import GENERATORS, generator
from errorkit.publish.export import schema

ROOT = Path(__file__).resolve().parents[2]
CATALOG = "contracts.kaplaix:catalog"


@pytest.fixture(autouse=True)
def _colourless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture(name="service")
def _service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A service's import path."""
    main = shop(tmp_path)
    monkeypatch.chdir(tmp_path)
    yield f"{main.__name__}:app"
    package = main.__name__.partition(".")[0]
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        del sys.modules[name]


def run(*arguments: object, code: int = 0) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result


WRITERS: list[tuple[str, ...]] = [
    ("docs", "{service}"),
    ("docs", "{service}", "--format", "markdown"),
    ("export", "{service}"),
    ("openapi", "{service}"),
    ("schema",),
    ("client", "python", "{service}"),
    ("client", "typescript", "{service}", "--option", "root=ShopError"),
    ("gateway", "nginx", "{service}"),
    ("gateway", "envoy", "{service}"),
    ("gateway", "caddy", "{service}", "--option", "allow_origin=*"),
]


@pytest.mark.parametrize("words", WRITERS, ids=" ".join)
def test_check_tells_fresh_files_from_stale_ones(service: str, tmp_path: Path, words: tuple[str, ...]) -> None:
    """What was just written passes; a changed, and an absent, file is a diff and exit code 1."""
    command = [word.format(service=service) for word in words]
    out = tmp_path / "out"
    out.mkdir()
    run(*command, "--output", out)
    files = sorted(path for path in out.rglob("*") if path.is_file())
    assert files
    run(*command, "--output", out, "--check")
    files[0].write_text(files[0].read_text() + "one line too many\n")
    stale = run(*command, "--output", out, "--check", code=1)
    assert f"--- {files[0]} (written)" in stale.output
    assert "-one line too many" in stale.output
    files[0].unlink()
    absent = run(*command, "--output", out, "--check", code=1)
    assert f"{files[0]} (absent)" in absent.output
    run(*command, "--output", out)
    run(*command, "--output", out, "--check")


def test_export_goes_to_a_named_file_or_to_the_terminal(service: str, tmp_path: Path) -> None:
    """The same JSON both ways, valid by the schema, in the service's dialect and words."""
    printed = run("export", service).stdout
    run("export", service, "-o", tmp_path / "errors.json")
    assert (tmp_path / "errors.json").read_text() == printed
    exported = json.loads(printed)
    jsonschema.validate(exported, schema())
    assert (exported["title"], exported["dialect"]["name"]) == ("Invoices", "openai")


def test_docs_name_the_operations_that_an_error_occurs_in(service: str, tmp_path: Path) -> None:
    """Of an application, the pages tell where; of a bare catalogue they cannot."""
    run("docs", service, "-o", tmp_path / "site")
    page = (tmp_path / "site" / "invoice_sent" / "index.html").read_text()
    assert "<code>POST /invoices/{number}</code>" in page
    assert "Where it occurs" in page


def test_openapi_describes_the_application_or_a_file(service: str, tmp_path: Path) -> None:
    """The app's own document, and a YAML file whose operations name codes; both are valid."""
    document = json.loads(run("openapi", service).stdout)
    validate(document)
    post = document["paths"]["/invoices/{number}"]["post"]["responses"]
    assert sorted(post) == ["200", "400", "404", "409", "429", "500", "503"]
    (tmp_path / "api.yaml").write_text(
        "openapi: 3.0.3\ninfo: {title: T, version: '1'}\npaths:\n  /x:\n    get:\n"
        "      x-errorkit-codes: [ledger_busy]\n      responses: {'200': {description: OK}}\n"
    )
    described = json.loads(run("openapi", service, tmp_path / "api.yaml", "--dialect", "kaiko").stdout)
    validate(described)
    assert sorted(described["paths"]["/x"]["get"]["responses"]) == ["200", "500", "503"]


def test_check_reports_faults_by_its_exit_code(service: str) -> None:
    """0 where all agrees."""
    assert "3 operations: 0 faults, 0 not followed" in run("check", service).output


def test_check_fails_for_a_seeded_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """1 with the operation and the line."""
    main = shop(tmp_path, ("main", ", responses=errors(InvoiceNotFound)", ""))
    monkeypatch.chdir(tmp_path)
    result = run("check", f"{main.__name__}:app", code=1)
    assert re.search(r"GET /invoices/\{number\}.*raises 'invoice_not_found' at \S+\.ledger:\d+", result.output)


def test_check_can_be_strict_about_what_it_could_not_follow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Listed and 0; with --strict, 1."""
    main = shop(tmp_path, ("main", 'return {{"busy": False}}', "error = globals()['x']\n    raise error"))
    monkeypatch.chdir(tmp_path)
    assert "raises globals()['x'], whose class is not known" in run("check", f"{main.__name__}:app").output
    run("check", f"{main.__name__}:app", "--strict", code=1)


def test_check_works_on_flask_and_starlette(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Routes are listed by either framework, and an undeclared error is found in each."""
    (tmp_path / "flasky.py").write_text(
        "from flask import Flask\nfrom errorkit import NotFoundError\nfrom errorkit.flask import ErrorKit\n"
        "app = Flask('flasky')\nErrorKit(app)\n@app.get('/x')\ndef x(): raise NotFoundError()\n"
    )
    (tmp_path / "starry.py").write_text(
        "from starlette.applications import Starlette\nfrom starlette.routing import Mount, Route\n"
        "from errorkit import ConflictError\nfrom errorkit.starlette import ErrorMiddleware\n"
        "async def y(request): raise ConflictError()\n"
        "app = Starlette(routes=[Mount('/v1', routes=[Route('/y', y)])])\napp.add_middleware(ErrorMiddleware)\n"
    )
    monkeypatch.chdir(tmp_path)
    assert "GET /x  raises 'not_found' at flasky:" in run("check", "flasky:app", code=1).output
    assert "GET /v1/y  raises 'conflict' at starry:" in run("check", "starry:app", code=1).output


def test_check_reads_the_methods_of_classes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Starlette's HTTPEndpoint and Flask's MethodView are one operation for each method."""
    (tmp_path / "viewy.py").write_text(
        "from flask import Flask\nfrom flask.views import MethodView\nfrom errorkit import NotFoundError\n"
        "from errorkit.flask import ErrorKit\napp = Flask('viewy')\nErrorKit(app)\nclass Views(MethodView):\n"
        "    def get(self): self.fail()\n    def post(self): return {}\n    def fail(self): raise NotFoundError()\n"
        "app.add_url_rule('/x', view_func=Views.as_view('x'))\n"
    )
    (tmp_path / "pointy.py").write_text(
        "from starlette.applications import Starlette\nfrom starlette.endpoints import HTTPEndpoint\n"
        "from starlette.routing import Route\nfrom errorkit import ConflictError\nfrom errorkit.starlette import install\n"
        "class Points(HTTPEndpoint):\n    async def put(self, request): raise ConflictError()\n"
        "    async def get(self, request): ...\napp = Starlette(routes=[Route('/y', Points)])\ninstall(app)\n"
    )
    monkeypatch.chdir(tmp_path)
    views = run("check", "viewy:app", code=1).output
    assert "GET /x  raises 'not_found' at viewy:10" in views
    assert "2 operations: 1 fault, 0 not followed" in views
    points = run("check", "pointy:app", code=1).output
    assert "PUT /y  raises 'conflict' at pointy:7" in points
    assert "2 operations: 1 fault, 0 not followed" in points


def test_modules_beside_a_plain_module_are_read_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that is no package: what lies in the same directory is its own code."""
    (tmp_path / "beside_it.py").write_text("from errorkit.errors import GoneError\ndef gone(): raise GoneError()\n")
    (tmp_path / "plainly.py").write_text(
        "from fastapi import FastAPI\nfrom errorkit.fastapi import install\nfrom beside_it import gone\n"
        "app = FastAPI()\ninstall(app)\n@app.get('/x')\ndef x(): gone()\n"
    )
    monkeypatch.chdir(tmp_path)
    assert "GET /x  raises 'gone' at beside_it:2" in run("check", "plainly:app", code=1).output


def test_diff_compares_files_and_targets(service: str, tmp_path: Path) -> None:
    """0 for none, 1 for breaking, 0 again where the code is accepted."""
    old = tmp_path / "old.json"
    run("export", service, "-o", old)
    assert "No changes." in run("diff", old, service).output
    exported = json.loads(old.read_text())
    exported["errors"][0]["status"] = 410
    old.write_text(json.dumps(exported))
    result = run("diff", old, service, code=1)
    assert "breaking  invoice_not_found  has another status: 410 became 404" in result.output
    assert "accepted" in run("diff", old, service, "--accept", "invoice_not_found").output


def test_explain_takes_any_spelling() -> None:
    """Canonical or the dialect's; meaning, causes, resolution and the response are shown."""
    for code in ("NORMALIZATION_FAILED", "normalization_failed"):
        output = run("explain", CATALOG, code, "--dialect", "kaplaix").output
        assert "The event could not be normalised." in output
        assert '"code": "NORMALIZATION_FAILED"' in output
        assert "HTTP/1.1 422 Unprocessable Content" in output


def test_a_catalogues_words_do_not_reach_the_terminal_as_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Escape sequences and marks that turn the direction of a text."""
    (tmp_path / "painted_errors.py").write_text(
        "from errorkit import Catalog, ConflictError\n"
        "class Painted(ConflictError):\n"
        "    code, title = 'painted', 'T\\x1b]0;title\\x07'\n"
        "    description, resolution = 'a\\x1b[2Jb', 'c\\u202ed'\n"
        "    message = 'e\\x9b31mf'\n"
        "catalog = Catalog([Painted])\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    for command in (["explain", "painted_errors:catalog", "painted"], ["preview", "painted_errors:catalog", "painted"]):
        output = run(*command).output
        assert not set(output) & set("\x1b\x07\x9b\u202e")
        assert "\ufffd" in output


def test_preview_shows_every_response() -> None:
    """All codes, or those named, in any dialect."""
    assert run("preview", CATALOG).output.count("HTTP/1.1 ") >= 26
    output = run("preview", CATALOG, "rate_limited", "--dialect", "openai").output
    assert output.count("HTTP/1.1 ") == 1
    assert "retry-after-ms: 1000" in output


OPTIONS = {
    "--title": "Ledgers of Zürich",
    "--base-url": "https://ledgers.example",
    "--docs-url": "https://docs.example/{code}",
    "--dialect": "anthropic",
}


@pytest.mark.parametrize("words", [words for words in WRITERS if words != ("schema",)], ids=" ".join)
def test_every_option_of_a_command_changes_what_it_writes(service: str, tmp_path: Path, words: tuple[str, ...]) -> None:
    """None is taken and then ignored."""
    (tmp_path / "api.json").write_text('{"openapi": "3.1.0", "paths": {"/x": {"get": {"responses": {}}}}}')
    command = [word.format(service=service) for word in words]
    if words[0] == "openapi":
        command.append(str(tmp_path / "api.json"))
    # the envelope of RFC 9457 has a place for everything
    plain = [*command, "--dialect", "problem", "-o"]
    run(*plain, tmp_path / "plain")
    help_text = run(words[0], "--help").output
    taken = [option for option in OPTIONS if option in help_text]
    assert "--dialect" in taken
    for option in taken:
        (tmp_path / option).mkdir()
        run(*plain, tmp_path / option, option, OPTIONS[option])
        assert _contents(tmp_path / option) != _contents(tmp_path / "plain"), option


def _contents(directory: Path) -> dict[str, str]:
    files = (path for path in directory.rglob("*") if path.is_file())
    return {str(path.relative_to(directory)): path.read_text() for path in files}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["export", "nowhere"], "is no import path; use 'module:name'"),
        (["export", "no_such_package.errors:catalog"], "no module 'no_such_package'; looked in "),
        (["export", "contracts.kaplaix:catalogue"], "has no 'catalogue'; it has: catalog"),
        (["export", "contracts.kaplaix:settings"], "Looked for: a Catalog; a Config; an application"),
        (["export", CATALOG, "--dialect", "problm"], "unknown dialect 'problm'; did you mean 'problem'?"),
        (["export", CATALOG, "--dialect", "json:loads"], "is function, not a Dialect"),
        (["export", CATALOG, "--check"], "--check compares with a written file; name it with --output"),
        (["docs", CATALOG], "name a directory with --output"),
        (["explain", CATALOG, "not_fond"], "did you mean 'not_found'?"),
        (["preview", CATALOG, "conflit"], "did you mean 'conflict'?"),
        (["openapi", CATALOG, "--dialect", "kaiko"], "--dialect and --docs-url are for a document"),
        (["openapi", CATALOG], "has no OpenAPI document of its own; name a file after it"),
        (["openapi", CATALOG, "absent.yaml"], "absent.yaml: No such file or directory; looked in"),
        (["check", CATALOG], "is not an application whose routes can be listed"),
        (["diff", "absent.json", CATALOG], "absent.json: No such file or directory; looked in"),
        (["diff", str(ROOT / "pyproject.toml"), CATALOG], "not a catalogue exported by errorkit"),
        (["client", "python", CATALOG, "--option", "rot=X"], "client python has no option 'rot'; it takes: api, "),
        (["client", "python", CATALOG, "--option", "name"], "--option 'name': write name=value"),
        (["client", "python", CATALOG, "--option", "title=X"], "client python has no option 'title'; it takes: api, "),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_done_is_said_in_words(arguments: list[str], words: str) -> None:
    """Exit code 2, no traceback, what was wrong and what was tried."""
    result = run(*arguments, code=2)
    assert words in result.stderr.replace("\n", "")
    assert "Traceback" not in result.output


def test_a_module_that_fails_to_import_is_named_with_its_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service's own mistake is told, not hidden as an unknown path."""
    (tmp_path / "broken_service.py").write_text("import errorkit\nraise RuntimeError('no database')\n")
    monkeypatch.chdir(tmp_path)
    result = run("export", "broken_service:catalog", code=2)
    assert "importing 'broken_service' failed: RuntimeError: no database" in result.stderr


@pytest.mark.parametrize(
    "source",
    [
        "from fastapi import FastAPI\nfrom errorkit.fastapi import ErrorMiddleware\nthing = FastAPI()\nthing.add_middleware(ErrorMiddleware, dialect='kaiko')",
        "from fastapi import FastAPI\nfrom errorkit.fastapi import install\ndef thing():\n    app = FastAPI()\n    install(app, dialect='kaiko')\n    return app",
        "from starlette.applications import Starlette\nfrom errorkit.starlette import install\nthing = Starlette()\ninstall(thing, dialect='kaiko')",
        "from flask import Flask\nfrom errorkit.flask import ErrorKit\nthing = Flask('x')\nErrorKit(thing, dialect='kaiko')",
        "from errorkit.wsgi import ErrorMiddleware\nthing = ErrorMiddleware(lambda e, s: [], dialect='kaiko')",
        "from errorkit.asgi import ErrorMiddleware\nasync def app(scope, receive, send): ...\nthing = ErrorMiddleware(app, dialect='kaiko')",
        "from errorkit.config import Config\nthing = Config(dialect={'/': 'kaiko', '/v1': 'problem'})",
    ],
    ids=["add_middleware", "factory", "starlette", "flask", "wsgi", "asgi", "config"],
)
def test_the_catalogue_is_found_wherever_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    """An app of every kind, a factory, and a configuration; its dialect is the default."""
    name = f"place_{abs(hash(source))}"
    (tmp_path / f"{name}.py").write_text(source)
    monkeypatch.chdir(tmp_path)
    assert json.loads(run("export", f"{name}:thing").stdout)["dialect"]["name"] == "kaiko"


def test_every_generator_is_there() -> None:
    """Each entry of the table imports, takes (catalog, dialect, options), and its settings are words."""
    for words in GENERATORS:
        function, known = generator(words)
        assert callable(function)
        assert all(isinstance(text, str) for text in known.values())


def test_the_module_runs_as_a_program(tmp_path: Path) -> None:
    """`python -m errorkit` is the same command line, in a fresh process, from any directory."""
    (tmp_path / "mine.py").write_text("from errorkit import Catalog\ncatalog = Catalog()\n")
    result: Any = subprocess.run(
        [sys.executable, "-m", "errorkit", "export", "mine:catalog"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT / "src"), "PATH": "/usr/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert len(json.loads(result.stdout)["errors"]) == 26

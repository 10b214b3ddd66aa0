"""The snippets of a code's page are programs that work, whatever paths, bodies and envelopes they are made for."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel
from starlette.testclient import TestClient

from errorkit import APIError, Catalog, Dialect
from errorkit.dialects import get_dialect
from errorkit.errors import AuthenticationError, Example, MalformedJSONError
from errorkit.failure import Public
from errorkit.fastapi import install
from errorkit.publish import Options
from errorkit.publish.reference.sample_request import sample
from errorkit.publish.reference.snippets import snippets
from requirements import require


class Hyphens(Dialect):
    """Members whose names are no identifiers."""

    name = "hyphens"

    def write(self, public: Public) -> dict[str, Any]:
        return {"the-error": {"error code": self.spell(public.code), "text": public.message}}

    def read(self, status: int, headers: Mapping[str, str], body: Any) -> Public:
        return self.public(status, headers, code=body["the-error"]["error code"])


class NameTaken(APIError):
    """The name is taken."""

    code, status = "name_taken", 409
    resolution = 'Choose "another" name,\nor none \\ at all.'
    examples = (Example("Taken", '{"name": "it\'s Größe", "tags": [null, true]}', '{"name": "free"}'),)


class NotJSON(MalformedJSONError):
    """The body is not JSON."""

    code = "malformed_json"
    examples = (Example("Cut off", '{"name": "it\'s', '{"name": ""}'),)


class Elsewhere(APIError):
    """Shown by a request line with quotes in it."""

    code, status = "elsewhere", 410
    examples = (Example("Quoted", "GET /named?name='it's'&say=\"x\"", "GET /named"),)


class KeyMissing(AuthenticationError):
    """No key was sent."""

    code = "unauthenticated"
    examples = (Example("Without a key", "GET /named", "GET /named"),)


CATALOG = Catalog([NameTaken, NotJSON, Elsewhere, KeyMissing])
DIALECTS = [get_dialect("openai"), get_dialect("problem"), get_dialect("google"), Hyphens()]
OPTIONS = Options(base_url="http://testserver", operations={"name_taken": [("POST", "/named")]})


class Named(BaseModel):
    name: str


def service(dialect: Dialect) -> FastAPI:
    app = FastAPI()
    install(app, dialect=dialect, catalog=CATALOG)

    @app.post("/named")
    @app.post("/resources")
    def take(body: Named) -> None:
        raise NameTaken

    @app.get("/named")
    def look(name: str, say: str) -> None:
        assert (name, say) == ("'it's'", '"x"')
        raise Elsewhere

    return app


def snippet(code: str, dialect: Dialect, language: str) -> str:
    spec = CATALOG.by_code(code)
    request = sample(CATALOG, spec, dialect, OPTIONS)
    return next(each.text for each in snippets(spec, dialect, request, OPTIONS.base_url) if each.language == language)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
@pytest.mark.parametrize("code", ["name_taken", "malformed_json", "elsewhere"])
def test_the_python_snippet_gets_the_error_and_knows_it(
    dialect: Dialect, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is run against the service: what it raises says what to do."""
    monkeypatch.setattr(httpx, "request", TestClient(service(dialect)).request)
    source = snippet(code, dialect, "Python")
    with pytest.raises(RuntimeError) as told:
        exec(compile(source, "snippet.py", "exec"), {"token": "t"})
    if code == "name_taken":
        assert str(told.value) == "Choose  another  name, or none   at all."


RUNNER = """
const seen = [];
globalThis.fetch = async (url, settings) => {
  const body = settings.body ?? "";
  seen.push({ url, method: settings.method, headers: settings.headers, body });
  return new Response(process.argv[2], { status: Number(process.argv[3]) });
};
try {
  await import(process.argv[4]);
} catch (error) {
  seen.push(error.message);
}
console.log(JSON.stringify(seen));
"""


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
@pytest.mark.parametrize("code", ["name_taken", "malformed_json", "elsewhere"])
def test_the_typescript_snippet_sends_the_request_and_knows_the_error(
    dialect: Dialect, code: str, tmp_path: Path
) -> None:
    """It is run in Node with the service's own answer; the request that it makes gets that answer."""
    require("node")
    client = TestClient(service(dialect))
    curl = {"name_taken": "/named", "malformed_json": "/resources", "elsewhere": "/named?name='it's'&say=\"x\""}[code]
    spec = CATALOG.by_code(code)
    plain = client.request(
        "GET" if code == "elsewhere" else "POST",
        curl,
        content=None if code == "elsewhere" else spec.examples[0].bad,
        headers={"Content-Type": "application/json"},
    )
    (tmp_path / "snippet.mjs").write_text('const token = "t";\n' + snippet(code, dialect, "TypeScript"))
    (tmp_path / "run.mjs").write_text(RUNNER)
    command = ["node", str(tmp_path / "run.mjs"), plain.text, str(plain.status_code), str(tmp_path / "snippet.mjs")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    sent, told = json.loads(done.stdout)
    again = client.request(sent["method"], sent["url"], content=sent["body"], headers=sent["headers"])
    assert (again.status_code, dialect.read(again.status_code, again.headers, again.json()).code) == (
        plain.status_code,
        dialect.read(plain.status_code, plain.headers, plain.json()).code,
    )
    if code == "name_taken":
        assert told == "Choose  another  name, or none   at all."


@pytest.mark.parametrize("code", ["name_taken", "malformed_json", "elsewhere"])
def test_the_curl_snippet_is_one_command_with_the_same_request(code: str) -> None:
    """A shell takes quotes in paths and bodies for what they are."""
    source = snippet(code, get_dialect("problem"), "curl")
    shown = subprocess.run(
        ["sh", "-c", f'curl() {{ printf "%s\\n" "$@"; }}; TOKEN=t; {source}'],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\n")
    assert "Authorization: Bearer t" in shown
    if code == "elsewhere":
        assert "http://testserver/named?name='it's'&say=\"x\"" in shown
    else:
        assert shown[shown.index("-d") + 1] == CATALOG.by_code(code).examples[0].bad


def test_a_request_without_credentials_and_body_has_no_header_fields_of_its_own() -> None:
    """The one that gets a 401."""
    problem = get_dialect("problem")
    assert "headers" not in snippet("unauthenticated", problem, "Python").split(")")[0]
    assert 'fetch("http://testserver/named", {\n  method: "GET",\n});' in snippet(
        "unauthenticated", problem, "TypeScript"
    )
    assert "Authorization" not in snippet("unauthenticated", problem, "curl")

"""Configuration: three sources, one frozen object, and errors that name field, value and fix."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from driving import asgi
from errorkit import ConflictError, errors
from errorkit.asgi import ErrorMiddleware
from errorkit.catalog import Catalog
from errorkit.config import Config, ConfigurationError
from errorkit.dialects import Dialect
from errorkit.dialects.openai import OpenAI
from errorkit.dialects.problem import Problem
from errorkit.handler import ErrorHandler, build_handler

catalog = Catalog([type("Taken", (errors.ConflictError,), {"code": "taken", "__module__": __name__})])


class Mine(Exception):
    """A foreign exception."""


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"dialect": "opnai"}, r"dialect='opnai': unknown dialect 'opnai'; did you mean 'openai'"),
        ({"dialect": 7}, "dialect=7: 7 is no dialect"),
        ({"dialect": {"v1": "openai"}}, "path prefix 'v1' must be a str that starts with '/'"),
        ({"dialect": {"/": None}}, "no dialect is chosen"),
        ({"dialect": "nowhere:Dialect"}, "'nowhere:Dialect' cannot be imported"),
        ({"dailect": "openai"}, r"dailect='openai': no such setting; did you mean 'dialect'"),
        ({"catalog": 3}, "catalog=3: use a Catalog"),
        ({"catalog": "core.test_config:nothing"}, "cannot be imported"),
        ({"exceptions": {"os:getcwd": "conflict"}}, "is no exception class"),
        ({"exceptions": {"core.test_config:Mine": "conflic"}}, "did you mean 'conflict'"),
        ({"exceptions": {Mine: 3}}, r"exceptions\[Mine\]=3: this cannot answer for an exception"),
        ({"docs_url": "https://x.test/errors"}, r"needs '\{code\}'"),
        ({"normalise": "some"}, "normalise='some'"),
        ({"tenant_status": 410}, "tenant_status=410"),
        ({"max_retry_wait": -1}, "max_retry_wait=-1"),
        ({"retry_after": {"rate_limted": 3}}, r"retry_after\['rate_limted'\]=3.0: .*did you mean 'rate_limited'"),
        ({"levels": {"6xx": "info"}}, r"levels\['6xx'\]='info': the catalogue has no such code"),
        ({"levels": {"404": "loud"}}, r"levels\['404'\]='loud'"),
        ({"request_id": {"length": 4}}, "random bits"),
        ({"request_id": {"alphabet": "aa"}}, "request_id.alphabet='aa': it needs two or more different"),
        ({"request_id": {"prefix": "a b"}}, "are not safe"),
        ({"status_invalid": 500}, "status_invalid=500"),
    ],
)
def test_bad_settings_fail_at_start_up(settings: dict[str, Any], words: str) -> None:
    """The field, the value and what to do instead, in one line."""
    with pytest.raises(ConfigurationError, match=words) as caught:
        Config(**settings)
    assert str(caught.value).startswith("errorkit configuration: ")
    assert "\n" not in str(caught.value)


def test_a_middleware_refuses_bad_settings_too() -> None:
    """Before the first request."""
    with pytest.raises(ConfigurationError, match="did you mean 'openai'"):
        ErrorMiddleware(lambda *_: None, dialect="openia")  # type: ignore[arg-type,return-value]


def test_a_config_and_settings_do_not_mix() -> None:
    """Which of them would win is not for the reader to guess."""
    with pytest.raises(
        ConfigurationError, match=r"config=<Config>: dialect= is given, too; put all settings into the Config"
    ):
        build_handler(Config(), {"dialect": "openai"})


def test_a_configuration_is_frozen() -> None:
    """Nothing changes under a running service."""
    with pytest.raises(ValueError, match="frozen"):
        Config().dialect = "openai"


@pytest.mark.parametrize("value", ["openai", OpenAI, OpenAI(), "errorkit.dialects.openai:OpenAI"])
def test_a_dialect_is_chosen_by_name_class_instance_or_path(value: Any) -> None:
    """However it is named, it is the same dialect."""
    ((prefix, dialect),) = Config(dialect=value).dialects
    assert (prefix, type(dialect)) == ("", OpenAI)


def test_the_environment_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    """ERRORKIT_<FIELD>; JSON where a value is no text; keywords win."""
    monkeypatch.setenv("ERRORKIT_DIALECT", "openai")
    assert isinstance(Config.load().dialects[0][1], OpenAI)
    assert isinstance(Config.load(dialect="problem").dialects[0][1], Problem)
    environ = {
        "ERRORKIT_DIALECT": '{"/v1": "openai", "/": "problem"}',
        "ERRORKIT_TRUST_INBOUND": "false",
        "ERRORKIT_MAX_RETRY_WAIT": "90",
        "ERRORKIT_CATALOG": "core.test_config:catalog",
        "OTHER": "x",
    }
    config = Config.load(environ=environ)
    assert [prefix for prefix, _ in config.dialects] == ["/v1", ""]
    assert (config.trust_inbound, config.max_retry_wait) == (False, 90)
    assert "taken" in config.catalog


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"ERRORKIT_DIALCT": "openai"}, "ERRORKIT_DIALCT='openai': there is no such setting; did you mean 'dialect'"),
        ({"ERRORKIT_LEVELS": "{"}, "ERRORKIT_LEVELS='{': it is not JSON"),
    ],
)
def test_a_bad_environment_fails_at_start_up(environ: dict[str, str], words: str) -> None:
    """A typing mistake in a deployment is not silently ignored."""
    with pytest.raises(ConfigurationError, match=words):
        Config.load(environ=environ)


@pytest.mark.parametrize(
    "name",
    ["SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_HTTP", "PORT", "PORT_80_TCP", "PORT_80_TCP_ADDR",
     "PORT_53_UDP_PROTO", "API_SERVICE_HOST", "API_V2_PORT_443_TCP_PORT"],
)  # fmt: skip
def test_what_kubernetes_puts_into_a_pod_is_no_setting(name: str) -> None:
    """Beside a Service called errorkit, or errorkit-api."""
    assert Config.load(environ={f"ERRORKIT_{name}": "tcp://10.0.0.1:80"}).dialects[0][1].name == "problem"


@pytest.mark.parametrize("name", ["SERVICE", "PORTS", "PORT_80", "HOST", "SERVICE_HOSTS", "PORT_80_TPC"])
def test_what_only_looks_like_it_is_a_mistake(name: str) -> None:
    """Strictness is meant."""
    with pytest.raises(ConfigurationError, match="there is no such setting"):
        Config.load(environ={f"ERRORKIT_{name}": "x"})


@pytest.mark.parametrize("way", ["keyword", "environment ERRORKIT_DEVELOPMENT", "file settings.toml", "config"])
def test_development_is_told_at_start_up_at_warning_and_where_it_was_turned_on(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: list[dict[str, Any]]
) -> None:
    """By each of the ways to turn it on, for bodies that then carry tracebacks."""
    settings: dict[str, Any] = {}
    if way == "keyword":
        settings = {"development": True}
    elif way == "config":
        settings = {"config": Config(development=True)}
    elif way.startswith("environment"):
        monkeypatch.setenv("ERRORKIT_DEVELOPMENT", "1")
    else:
        (tmp_path / "settings.toml").write_text("development = true")
        settings = {"config": Config.load(file=tmp_path / "settings.toml")}
    build_handler(settings.pop("config", None), settings).announce()
    (told,) = log
    source = "keyword" if way == "config" else way
    assert (told["event"], told["log_level"]) == ("errorkit_installed", "warning")
    assert told["development"] == f"bodies carry tracebacks: turned on by {source}"
    log.clear()
    build_handler(None, {"development": False}).announce()
    assert (log[0]["log_level"], "development" in log[0]) == ("info", False)


def test_a_class_that_wants_arguments_answers_for_foreign_exceptions_by_a_function() -> None:
    """What its constructor asks for is not known; by itself, or by its code, it is refused."""

    class NeedsName(ConflictError):
        """Taken."""

        code = "needs_name"

        def __init__(self, name: str) -> None:
            super().__init__(f"{name} exists")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise Mine("x")

    for target in (NeedsName, "needs_name"):
        with pytest.raises(ConfigurationError, match=r"exceptions\[Mine\]=NeedsName: its constructor asks for more"):
            Config(catalog=[NeedsName], exceptions={Mine: target})
    made = {Mine: lambda exception: NeedsName(str(exception))}
    reply = asgi(ErrorMiddleware(app, catalog=[NeedsName], exceptions=made))
    assert (reply.status, reply.json()["code"], reply.json()["detail"]) == (409, "needs_name", "x exists")


def test_a_toml_table_chooses(tmp_path: Path) -> None:
    """A file of one's own, or [tool.errorkit]; the environment wins over it."""
    own = tmp_path / "errorkit.toml"
    own.write_text(
        'dialect = "kaiko"\nretry_after = {rate_limited = 9}\nrequest_id = {prefix = "r-", length = 12}\n'
        '[exceptions]\n"core.test_config:Mine" = "conflict"\n"builtins:TimeoutError" = "errorkit.errors:GatewayTimeoutError"\n'
    )
    config = Config.load(file=own, environ={})
    assert config.dialects[0][1].name == "kaiko"  # type: ignore[union-attr]
    assert config.retry_after == {"rate_limited": 9}
    assert config.request_id is not None
    assert config.request_id.new().startswith("r-")
    assert {cls: type(make(cls())) for cls, make in config.exceptions.items()} == {
        Mine: errors.ConflictError,
        TimeoutError: errors.GatewayTimeoutError,
    }
    project = tmp_path / "pyproject.toml"
    project.write_text('[project]\nname = "x"\n[tool.errorkit]\ndialect = "korad"\n')
    assert Config.load(file=project, environ={}).dialects[0][1].name == "korad"  # type: ignore[union-attr]
    environ = {"ERRORKIT_DIALECT": "openai"}
    assert Config.load(file=project, environ=environ).dialects[0][1].name == "openai"  # type: ignore[union-attr]


def test_a_bad_file_fails_at_start_up(tmp_path: Path) -> None:
    """Absent, or not TOML."""
    with pytest.raises(ConfigurationError, match=r"none.toml': it cannot be read \(No such file"):
        Config.load(file=tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("=")
    with pytest.raises(ConfigurationError, match="it is not TOML"):
        Config.load(file=tmp_path / "bad.toml")


def test_a_dialects_attributes_are_keywords() -> None:
    """A preset is adapted without a class of one's own; a wrong name is answered with the nearest."""
    dialect = OpenAI(renames={"internal": "internal_error"}, code_case="kebab")
    assert (dialect.spell("internal"), dialect.canonical("internal_error")) == ("internal_error", "internal")
    assert (dialect.spell("not_found"), dialect.canonical("not-found")) == ("not-found", "not_found")
    with pytest.raises(ConfigurationError, match="did you mean 'renames'"):
        OpenAI(rename={})
    with pytest.raises(ConfigurationError, match=r"OpenAI.write=None: there is no such attribute"):
        OpenAI(write=None)
    with pytest.raises(ValueError, match=r"OpenAI.code_case='loud': there is no such case; use snake"):
        OpenAI(code_case="loud")


@pytest.mark.parametrize(
    ("case", "spelling"),
    [
        ("snake", "not_found"),
        ("upper", "NOT_FOUND"),
        ("kebab", "not-found"),
        ("pascal", "NotFound"),
        ("camel", "notFound"),
    ],
)
def test_a_codes_case_is_reversible(case: str, spelling: str) -> None:
    """One canonical spelling, whatever the wire says."""
    dialect = OpenAI(code_case=case)
    assert (dialect.spell("not_found"), dialect.canonical(spelling)) == (spelling, "not_found")


def test_a_dialect_that_cannot_write_the_catalogue_fails_at_start_up() -> None:
    """The first customer must not be the first to see it."""

    class Fragile(Dialect):
        name = "fragile"

        def write(self, public: Any) -> Any:
            return {"n": {"validation_failed": 1}[public.code]}

        def read(self, status: int, headers: Any, body: Any) -> Any:
            return self.public(status, headers)

    with pytest.raises(
        ConfigurationError, match=r"dialect=<.*Fragile>: write\(\) fails for the error 'bad_request': Key"
    ):
        ErrorHandler(Config(dialect=Fragile()))

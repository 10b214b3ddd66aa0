"""The frameworks whose own suites are run, and what each needs."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from zlib import crc32

STACK = (
    "anyio",
    "blinker",
    "click",
    "fastapi",
    "flask",
    "httpx",
    "httpx2",
    "itsdangerous",
    "jinja2",
    "markupsafe",
    "opentelemetry-api",
    "opentelemetry-sdk",
    "pydantic",
    "pydantic-core",
    "python-multipart",
    "starlette",
    "structlog",
    "typing-extensions",
    "werkzeug",
)
"""What a suite's environment has in the version of this environment."""


@dataclass(frozen=True)
class Suite:
    """One framework's suite, in its source distribution."""

    name: str
    """The distribution's."""
    source: str
    """The folder of the framework's own code, which is left out: the installed one is tested."""
    modes: tuple[str, ...]
    """How errorkit is put in: see plugin/covered_apps.py. The first is what the documentation tells people to do."""
    requirements: tuple[str, ...]
    """What its tests import, and what errorkit needs."""
    arguments: tuple[str, ...] = ()
    """Of its pytest."""
    shares: int = 1
    """The fixed set is one of so many shares of its files."""

    @property
    def version(self) -> str:
        """The version that is installed here, and so the one whose tests are run."""
        return version(self.name)

    def chosen(self, file: str) -> bool:
        """Is a file of tests in the fixed set."""
        return crc32(file.encode()) % self.shares == 0


ERRORKIT = ("pydantic", "starlette", "structlog")

IN_PARALLEL = ("-n", "2", "--dist", "loadfile")
"""A file's tests in their order: which request is an application's first makes a difference without a lifespan."""

SUITES = {
    suite.name: suite
    for suite in (
        Suite(
            name="starlette",
            source="starlette",
            modes=("install", "add_middleware", "asgi"),
            requirements=(
                *ERRORKIT,
                "blockbuster",
                "httpx",
                "httpx2[zstd]",
                "importlib-metadata",
                "itsdangerous",
                "jinja2",
                "opentelemetry-api",
                "opentelemetry-sdk",
                "pytest>=9.1,<9.2",
                "pytest-xdist",
                "python-multipart",
                "pyyaml",
                "trio",
            ),
            arguments=IN_PARALLEL,
        ),
        Suite(
            name="flask",
            source="src",
            modes=("extension", "wsgi"),
            requirements=(*ERRORKIT, "asgiref", "flask", "greenlet", "pytest>=8.3,<9", "python-dotenv"),
        ),
        Suite(
            name="fastapi",
            source="fastapi",
            modes=("install", "add_middleware", "asgi"),
            requirements=(
                *ERRORKIT,
                "a2wsgi",
                "anyio[trio]",
                "coverage",
                "dirty-equals",
                "email-validator",
                "fastapi",
                "fastapi-cli",
                "flask",
                "httpx",
                "httpx2[zstd]",
                "inline-snapshot",
                "itsdangerous",
                "jinja2",
                "logfire",
                "opentelemetry-exporter-otlp-proto-http",
                "opentelemetry-instrumentation-fastapi",
                "opentelemetry-sdk",
                "orjson",
                "pwdlib[argon2]",
                "pydantic-extra-types",
                "pydantic-settings",
                "pyjwt",
                "pytest>=9,<9.2",
                "pytest-timeout",
                "pytest-xdist",
                "python-multipart",
                "pyyaml",
                "sentry-sdk",
                "sqlmodel",
                "strawberry-graphql",
                "typer",
                "ujson",
                "uvicorn",
            ),
            arguments=(
                *IN_PARALLEL,
                *("--timeout", "120"),
                *("--ignore", "tests/benchmarks", "--ignore", "tests/memory_benchmarks"),  # they assert on no wire
            ),
            shares=3,
        ),
    )
}

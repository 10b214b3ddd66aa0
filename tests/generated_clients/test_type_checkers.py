"""Generated code is clean and formatted, and checkers prove that a `match` forgets no code."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from serving import CONTRACTS, FIVE, Contract, write

from requirements import node_tool

pytestmark = pytest.mark.timeout(300)  # the first run installs programs from npm

CHECKED = [*FIVE.values(), *(CONTRACTS[name] for name in ("problem", "google", "jsonapi"))]
"""Every contract, and the presets whose places look unlike the others'."""
COMPLETE, WITHOUT = "complete", "without"
DELETED = {"first": 0, "middle": 13, "last": -1}


def _arms(contract: Contract) -> list[str]:
    return [contract.dialect.spell(code) for code in contract.codes]


def _python(contract: Contract, arms: list[str]) -> str:
    """A caller that handles the codes of `arms`, by code and by class."""
    by_code = "".join(f'            case "{arm}":\n                return {n}\n' for n, arm in enumerate(arms))
    by_class = "".join(
        f"            case errors.{contract.classes[arm]}():\n                return {n}\n"
        for n, arm in enumerate(arms)
    )
    return f"""\
from typing import assert_never

from {contract.package} import errors
from {contract.package}.transport import AsyncTransport, RetryPolicy, Transport

transports = (Transport(), AsyncTransport(retry=RetryPolicy(attempts=4)))


def by_code() -> int:
    try:
        raise errors.error_from(404, {{}}, b"")
    except errors.DOCUMENTED as error:
        match error.code:
{by_code}            case _:
                assert_never(error.code)


def by_class(error: errors.Documented) -> int:
        match error:
{by_class}            case _:
                assert_never(error)
"""


def _typescript(contract: Contract, arms: list[str]) -> str:
    """The same in TypeScript."""
    cases = "".join(f'      case "{arm}":\n        return {n};\n' for n, arm in enumerate(arms))
    return f"""\
import {{ isDocumented }} from "./{contract.package}/errors.js";
import {{ createFetch, readJson }} from "./{contract.package}/fetch.js";

export async function call(): Promise<unknown> {{
  try {{
    return await readJson(await createFetch({{ retry: {{ attempts: 4 }} }})("http://127.0.0.1/"));
  }} catch (error) {{
    if (!isDocumented(error)) throw error;
    switch (error.code) {{
{cases}      default: {{
        const none: never = error;
        throw none;
      }}
    }}
  }}
}}
"""


@pytest.fixture(name="project", scope="module")
def _project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All clients, a complete caller of each, and callers that forget one code."""
    root = tmp_path_factory.mktemp("project")
    for contract in CHECKED:
        write(contract.files, root)
        callers = {COMPLETE: _arms(contract)}
        for name, index in DELETED.items() if contract.name == "problem" else ():
            callers[f"{WITHOUT}_{name}"] = [arm for arm in _arms(contract) if arm != _arms(contract)[index]]
        for name, arms in callers.items():
            (root / f"{name}_{contract.name}.py").write_text(_python(contract, arms))
            (root / f"{name}_{contract.name}.ts").write_text(_typescript(contract, arms))
    (root / "package.json").write_text('{"type": "module"}')
    (root / "tsconfig.json").write_text(json.dumps({"compilerOptions": TSC, "include": ["**/*.ts"]}))
    (root / "pyrightconfig.json").write_text(json.dumps({"pythonVersion": "3.11"}))
    return root


TSC = {
    "strict": True,
    "target": "es2022",
    "module": "nodenext",
    "lib": ["es2023", "dom"],
    "types": [],
    "noEmit": True,
    "noUncheckedIndexedAccess": True,
    "exactOptionalPropertyTypes": True,
    "noImplicitOverride": True,
    "noUnusedLocals": True,
    "noUnusedParameters": True,
    "verbatimModuleSyntax": True,
    "erasableSyntaxOnly": True,
}

EXPECTED = {f"{WITHOUT}_{name}_problem" for name in DELETED}


def _forgotten(name: str) -> str:
    return _arms(CONTRACTS["problem"])[DELETED[name]]


def _run(*command: str, root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=300)


def _findings(output: str, line: str) -> Iterator[tuple[str, str]]:
    for match in re.finditer(line, output, re.MULTILINE):
        yield match[1], match[0]


def test_mypy_strict_is_clean_and_finds_the_forgotten_code(project: Path) -> None:
    """Only the callers that forget a code are refused, once by code and once by class."""
    done = _run(sys.executable, "-m", "mypy", "--strict", "--config-file=", "--warn-unreachable", ".", root=project)
    found = list(_findings(done.stdout, r"^(\w+)\.py:\d+: error: .*$|^(?P<other>.*): error: .*$"))
    assert {name for name, _ in found} == EXPECTED, done.stdout + done.stderr
    assert len(found) == 2 * len(EXPECTED)
    for name in DELETED:
        assert any(f"'{_forgotten(name)}'" in line for file, line in found if file == f"{WITHOUT}_{name}_problem")


def test_pyright_is_clean_and_finds_the_forgotten_code(project: Path) -> None:
    """The same by the other checker."""
    command = (node_tool("pyright"), "--outputjson", "--pythonpath", sys.executable)
    report = json.loads(_run(*command, root=project).stdout)
    found = [(Path(item["file"]).stem, item["message"]) for item in report["generalDiagnostics"]]
    assert {name for name, _ in found} == EXPECTED, report
    assert len(found) == 2 * len(EXPECTED)
    for name in DELETED:
        assert any(
            f'"{_forgotten(name)}"' in text or f"'{_forgotten(name)}'" in text for file, text in found if name in file
        )


def test_tsc_strict_is_clean_and_finds_the_forgotten_code(project: Path) -> None:
    """A `switch` with `never`: every caller that forgets a code is refused."""
    done = _run(node_tool("tsc"), "--project", ".", "--pretty", "false", root=project)
    found = list(_findings(done.stdout, r"^([\w/]+)\.ts\(.*$"))
    assert {name for name, _ in found} == EXPECTED, done.stdout + done.stderr
    assert len(found) == len(EXPECTED)
    assert all("is not assignable to type 'never'" in line for _, line in found)


def test_generated_python_is_linted_and_formatted(project: Path) -> None:
    """ruff with its defaults, whatever the codes and their words are."""
    packages = [contract.package for contract in CHECKED]
    for command in (["check"], ["format", "--check", "--diff"]):
        done = _run(sys.executable, "-m", "ruff", *command, "--isolated", *packages, root=project)
        assert done.returncode == 0, done.stdout + done.stderr


def test_generated_typescript_is_formatted(project: Path) -> None:
    """prettier at 100 columns."""
    files = sorted(str(path.relative_to(project)) for path in project.glob("*_generated/*.ts"))
    assert len(files) == 2 * len(CHECKED)
    done = _run(node_tool("prettier"), "--print-width", "100", "--list-different", *files, root=project)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr

"""docs/clients.md: its TypeScript compiles and does what it says; its Python is run with all other pages."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from serving import CONTRACTS, serving, write

from errorkit.publish import Options
from errorkit.publish.clients import typescript as client_typescript
from requirements import node_tool, require

pytestmark = pytest.mark.timeout(300)  # the first run installs programs from npm

PAGE = Path(__file__).resolve().parents[2] / "docs" / "clients.md"


def test_the_commands_of_the_page_run(tmp_path: Path) -> None:
    """In a directory with a service; the last finds nothing stale, and does once a file is edited."""
    (tmp_path / "my_service").mkdir()
    (tmp_path / "my_service" / "errors.py").write_text("from errorkit import Catalog\n\ncatalog = Catalog()\n")
    commands = [shlex.split(line) for line in re.findall(r"^\$ errorkit (.*)$", PAGE.read_text(), re.MULTILINE)]
    assert len(commands) == 3

    def run(command: list[str]) -> int:
        program = [sys.executable, "-m", "errorkit", *command]
        return subprocess.run(program, cwd=tmp_path, capture_output=True, timeout=60, check=False).returncode

    assert [run(command) for command in commands] == [0, 0, 0]
    for path in ("src/client/errors.py", "src/client/transport.py", "web/client/errors.ts", "web/client/fetch.ts"):
        assert (tmp_path / path).is_file()
    (tmp_path / "src/client/errors.py").write_text("# edited by hand\n")
    assert run(commands[-1]) == 1


def test_the_typescript_of_the_page_runs(tmp_path: Path) -> None:
    """Against a service that has the page's code."""
    require("node")
    [block] = re.findall(r"^```typescript\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    contract = CONTRACTS["problem"]
    options = Options(title="Billing API", extra={"directory": "billing_client"})
    write(client_typescript.generate(contract.catalog, contract.dialect, options), tmp_path)
    (tmp_path / "page.ts").write_text(block)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    compiler = {"strict": True, "target": "es2022", "module": "nodenext", "lib": ["es2023", "dom"], "types": []}
    config = {"compilerOptions": compiler, "include": ["**/*.ts"]}
    (tmp_path / "tsconfig.json").write_text(json.dumps(config))
    done = subprocess.run(
        [node_tool("tsc"), "--project", str(tmp_path)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout
    with serving({"problem": contract}) as server:
        script = (
            "import { invoice } from './page.js';"
            f"console.log(await invoice('{server.url}/problem/code/invoice_not_found'));"
            f"console.log(await invoice('{server.url}/problem/code/conflict'));"
        )
        done = subprocess.run(
            ["node", "--input-type=module", "--eval", script],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.stdout, done.stderr) == (
        "Look the number up.\nThe request conflicts with the current state of the resource.\n",
        "",
    )

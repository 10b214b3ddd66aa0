"""Errors of MCP tools, as the protocol's own client receives them from its own server."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from structlog.testing import capture_logs

from errorkit import Catalog, ConflictError, NotFoundError, RateLimitError, get_request_id
from errorkit.errors import ValidationError
from errorkit.failure import Detail
from errorkit.mcp import ToolErrors
from errorkit.testing import RecordedFailures
from requirements import require_module

require_module("mcp")

from mcp import Client  # noqa: E402
from mcp.server import MCPServer  # noqa: E402
from mcp.server.mcpserver.exceptions import ToolError  # noqa: E402


class InvoiceSent(ConflictError):
    """The invoice has been sent."""

    code, title = "invoice_sent", "Invoice already sent"
    resolution = "Issue a credit note instead."


class InvoiceNotFound(NotFoundError):
    """There is no such invoice."""

    code = "invoice_not_found"


CATALOG = Catalog([InvoiceSent, InvoiceNotFound])
SECRET = "postgres://admin:hunter2@db.internal/invoices"


def served(dialect: str = "problem", **settings: Any) -> tuple[MCPServer, RecordedFailures, list[str | None]]:
    """A server whose tools fail; what was recorded; the request ID that each tool saw."""
    recorded, seen = RecordedFailures(), []
    tools = ToolErrors(dialect=dialect, catalog=CATALOG, on_failure=recorded, **settings)
    server = MCPServer("invoices")

    @server.tool()
    @tools
    async def send(number: int) -> dict[str, int]:
        """Send an invoice."""
        seen.append(get_request_id())
        if number == 1:
            raise InvoiceSent(f"Invoice {number} was sent on Monday.")
        if number == 2:
            raise RateLimitError(retry_after=30)
        if number == 3:
            raise RuntimeError(f"no connection to {SECRET}")
        if number == 4:
            raise ValidationError(details=[Detail(("lines", 0, "price"), "It is negative.", "invalid_value")])
        return {"number": number}

    @server.tool()
    @tools
    def find(number: int) -> dict[str, int]:
        """Find an invoice."""
        seen.append(get_request_id())
        raise InvoiceNotFound()

    @server.tool()
    @tools
    async def ask() -> str:
        """Says itself what is wrong."""
        raise ToolError("the protocol's own")

    return server, recorded, seen


def called(server: MCPServer, tool: str, **arguments: Any) -> Any:
    async def call() -> Any:
        async with Client(server) as client:
            return await client.call_tool(tool, arguments)

    return asyncio.run(call())


def test_a_failing_tool_answers_with_words_for_the_model_and_the_envelope_for_the_client() -> None:
    server, recorded, seen = served()
    result = called(server, "send", number=1)
    assert result.is_error
    (content,) = result.content
    (request_id,) = seen
    assert (
        content.text
        == f"""\
# Invoice already sent (409)

Invoice 1 was sent on Monday.

- code: `invoice_sent`
- next: Change the request before sending it again; the same one fails again. It is the client's turn.
- resolution: Issue a credit note instead.
- request id: `{request_id}`
"""
    )
    assert result.structured_content == {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "Invoice 1 was sent on Monday.",
        "code": "invoice_sent",
        "request_id": request_id,
    }
    assert recorded.codes == ["invoice_sent"]


def test_a_tool_that_succeeds_is_left_alone() -> None:
    server, recorded, _ = served()
    result = called(server, "send", number=7)
    assert (result.is_error, result.structured_content) == (False, {"number": 7})
    assert recorded == []
    assert get_request_id() is None


def test_a_wait_and_findings_are_told() -> None:
    server, _, _ = served("openai")
    waiting = called(server, "send", number=2)
    assert "- next: Send the same request again, after the time that is given" in waiting.content[0].text
    assert "- wait: 30 seconds\n" in waiting.content[0].text
    assert waiting.structured_content["error"]["code"] == "rate_limited"
    found = called(server, "send", number=4).content[0].text
    assert "- at `lines[0].price`: It is negative.\n" in found


def test_a_crash_tells_the_model_nothing_and_the_operator_everything() -> None:
    server, _, _ = served()
    with capture_logs() as events:
        result = called(server, "send", number=3)
    assert result.is_error
    assert "hunter2" not in json.dumps(result.model_dump())
    assert result.content[0].text.startswith("# Internal Server Error (500)\n")
    (event,) = [event for event in events if event["event"] == "request_failed"]
    assert (event["code"], event["method"], event["route"]) == ("internal", "tools/call", "send")
    assert "no connection to" in event["error"]


def test_a_plain_function_is_a_tool_too() -> None:
    server, recorded, _ = served()
    result = called(server, "find", number=1)
    assert result.is_error
    assert result.structured_content["code"] == "invoice_not_found"
    assert recorded.codes == ["invoice_not_found"]


def test_the_protocols_own_errors_are_raised_on() -> None:
    server, recorded, _ = served()
    result = called(server, "ask")
    assert result.is_error
    assert "the protocol's own" in result.content[0].text
    assert recorded == []


def test_a_tool_keeps_its_name_and_its_schema() -> None:
    server, _, _ = served()

    async def listed() -> Any:
        async with Client(server) as client:
            return (await client.list_tools()).tools

    tools = {tool.name: tool for tool in asyncio.run(listed())}
    assert set(tools) == {"send", "find", "ask"}
    assert list(tools["send"].input_schema["properties"]) == ["number"]
    assert tools["send"].description == "Send an invoice."


def test_a_server_that_is_made_with_nothing_gets_the_protocols_json() -> None:
    tools = ToolErrors(dialect="problem", catalog=CATALOG)
    result = tools.result(InvoiceSent("It is <b>gone</b>\n# to *nobody*"), tool="send")
    assert set(result) == {"content", "structuredContent", "isError"}
    (content,) = result["content"]
    assert "It is \\<b\\>gone\\</b\\> \\# to \\*nobody\\*\n" in content["text"]

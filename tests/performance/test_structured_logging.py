"""One line of JSON per event, whatever is in it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog
from structlog.contextvars import bound_contextvars

from errorkit.request_id import current
from errorkit.structured_logging import JSONLine


@pytest.fixture
def sink() -> Iterator[io.BytesIO]:
    """The documented set-up, writing to memory."""
    written = io.BytesIO()
    structlog.reset_defaults()
    structlog.configure(
        processors=[JSONLine()],
        wrapper_class=structlog.make_filtering_bound_logger("info"),
        logger_factory=structlog.BytesLoggerFactory(written),  # type: ignore[arg-type]
        cache_logger_on_first_use=True,
    )
    yield written
    structlog.reset_defaults()


def lines(sink: io.BytesIO) -> list[dict[str, Any]]:
    """What was written, parsed line by line."""
    return [json.loads(line) for line in sink.getvalue().splitlines()]


def fails() -> None:
    password = "hunter2"
    raise ValueError(f"no luck, {len(password)}")


def test_an_event_is_one_line_with_time_level_and_context(sink: io.BytesIO) -> None:
    """UTC to the microsecond, the level's name, what is bound, the request's ID, the event's own fields."""
    token = current.set("r1")
    before = datetime.now(UTC) - timedelta(seconds=1)
    with bound_contextvars(tenant="acme"):
        structlog.get_logger().warning("stock_low", left=3)
    current.reset(token)
    (line,) = lines(sink)
    assert before <= datetime.fromisoformat(line.pop("timestamp")) <= datetime.now(UTC)
    assert line == {"level": "warning", "request_id": "r1", "tenant": "acme", "event": "stock_low", "left": 3}


def test_a_line_outside_of_a_request_has_no_id(sink: io.BytesIO) -> None:
    """And a level below the configured one is not written."""
    structlog.get_logger().debug("unseen")
    structlog.get_logger().info("started")
    assert [set(line) for line in lines(sink)] == [{"timestamp", "level", "event"}]


def test_a_traceback_names_frames_and_shows_no_variables(sink: io.BytesIO) -> None:
    """In each form of `exc_info` that logging knows."""
    try:
        fails()
    except ValueError as error:
        structlog.get_logger().exception("broken")
        structlog.get_logger().error("broken", exc_info=error)
        structlog.get_logger().error("broken", exc_info=(type(error), error, error.__traceback__))
    structlog.get_logger().error("whole", exc_info=True)
    *broken, whole = lines(sink)
    assert "exception" not in whole
    for line in broken:
        assert line["level"] == "error"
        head, *frames = line["exception"].split("\n")
        assert head == "ValueError: no luck, 7"
        assert frames[-1].endswith(" fails")
        assert "hunter2" not in json.dumps(line)
    assert len(broken) == 3


def test_exceptions_keep_their_words_if_asked_to() -> None:
    """`words=False` leaves the class and the frames."""
    error = ValueError("the card is 4111")
    line = json.loads(JSONLine(words=False)(None, "error", {"event": "x", "exc_info": error}))
    assert line["exception"] == "ValueError"


def test_what_json_cannot_say_is_written_as_text(sink: io.BytesIO) -> None:
    """No event is lost over a value: not a cycle, a lone surrogate, a NaN or a repr that raises."""

    class Rude:
        def __repr__(self) -> str:
            raise RuntimeError

    cycle: list[Any] = []
    cycle.append(cycle)
    structlog.get_logger().info("odd", cycle=cycle, cut="\ud800", number=float("nan"), rude=Rude(), line="a\nb")
    (line,) = lines(sink)
    assert line["event"] == "odd"
    assert line["line"] == "a\nb"


def test_what_is_set_already_stands() -> None:
    """A processor in front, or the event itself, decides about its own fields."""
    line = json.loads(JSONLine()(None, "warn", {"event": "x", "timestamp": "then", "request_id": "mine"}))
    assert line == {"timestamp": "then", "level": "warning", "request_id": "mine", "event": "x"}


def test_the_time_goes_on_within_and_after_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """The text of a second is kept, and only for that second."""
    instants = iter((1_700_000_000_000_001_000, 1_700_000_000_999_999_999, 1_700_000_001_000_000_000))
    monkeypatch.setattr("errorkit.structured_logging.time_ns", lambda: next(instants))
    processor = JSONLine()
    stamps = [json.loads(processor(None, "info", {"event": "x"}))["timestamp"] for _ in range(3)]
    assert stamps == [
        "2023-11-14T22:13:20.000001Z",
        "2023-11-14T22:13:20.999999Z",
        "2023-11-14T22:13:21.000000Z",
    ]

"""Flask: parts of a request as pydantic models, and the route in the event."""

from __future__ import annotations

from collections.abc import Iterator

import flask
import pytest
from pydantic import BaseModel, Field
from structlog.testing import capture_logs
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized

import errorkit
import errorkit.flask
from errorkit.errors import ValidationError


class Page(BaseModel):
    limit: int = Field(ge=1)


def make_app() -> flask.Flask:
    app = flask.Flask(__name__)

    @app.get("/pages/<name>")
    def page(name: str) -> dict[str, int]:
        return {"limit": errorkit.flask.validate(Page, flask.request.args.to_dict(), location="query").limit}

    @app.get("/streams/<name>")
    def stream(name: str) -> flask.Response:
        def lines() -> Iterator[str]:
            yield "data: 1\n\n"
            raise ZeroDivisionError

        return flask.Response(lines(), mimetype="text/event-stream")

    catalog = errorkit.Catalog(field_codes={"limit": "invalid_limit"})
    errorkit.flask.ErrorKit(app, catalog=catalog, dialect="problem")
    return app


def test_a_query_that_its_model_refuses_is_answered_with_its_place() -> None:
    """`validate` gives findings their location and the catalogue's own codes, and echoes no value."""
    response = make_app().test_client().get("/pages/one?limit=-31337")
    body = response.get_json()
    assert response.status_code == 422
    assert body["errors"] == [
        {
            "detail": "Input should be greater than or equal to 1",
            "pointer": "#/limit",
            "code": "invalid_limit",
            "location": "query",
        }
    ]
    assert "31337" not in response.get_data(as_text=True)


def test_a_part_that_its_model_accepts_is_given_as_the_model() -> None:
    """`validate` returns an instance, with pydantic's conversions applied."""
    assert make_app().test_client().get("/pages/one?limit=3").get_json() == {"limit": 3}


def test_validate_works_in_an_application_that_is_not_covered() -> None:
    """Without the extension it raises the same error, with the standard codes."""
    with flask.Flask(__name__).app_context(), pytest.raises(ValidationError) as caught:
        errorkit.flask.validate(Page, {}, location="cookie")
    (detail,) = caught.value.details
    assert (detail.path, detail.code, detail.location) == (("limit",), "missing_field", "cookie")


@pytest.mark.parametrize(("path", "route"), [("/pages/one", "/pages/<name>"), ("/streams/one", "/streams/<name>")])
def test_the_event_names_the_route_although_the_request_context_is_gone(path: str, route: str) -> None:
    """Flask forgets its request before a body is closed; the event is written after that and knows the rule."""
    with capture_logs() as logs:
        make_app().test_client().get(path).get_data()
    assert [log["route"] for log in logs if log["event"] == "request_failed"] == [route]


def test_the_start_up_line_names_the_users_handlers_and_no_others() -> None:
    """What errorkit registers for mapped exceptions is not announced as somebody else's."""
    app = flask.Flask(__name__)

    @app.errorhandler(418)
    def teapot(error: Exception) -> str:
        return "short and stout"

    @app.errorhandler(KeyError)
    def missing(error: Exception) -> str:
        return "no such key"

    with capture_logs() as logs:
        errorkit.flask.ErrorKit(app, exceptions={KeyError: "conflict", OSError: "service_unavailable"})
        assert logs == []  # a command of the application has its standard output for itself (F-23)
        for _ in range(2):
            app.test_client().get("/")
    (line,) = [log for log in logs if log["event"] == "errorkit_installed"]
    assert sorted(line["user_handlers"]) == ["ImATeapot", "KeyError"]


def test_every_challenge_of_a_werkzeug_exception_is_sent() -> None:
    """Each `WWW-Authenticate` as Flask sends it; none is lost."""
    app = flask.Flask(__name__)

    @app.get("/private")
    def private() -> None:
        raise Unauthorized(www_authenticate=[WWWAuthenticate("basic", {"realm": "a"}), WWWAuthenticate("bearer")])

    errorkit.flask.ErrorKit(app, dialect="problem")
    response = app.test_client().get("/private")
    assert response.status_code == 401
    assert response.headers.getlist("WWW-Authenticate") == ["Basic realm=a", "Bearer"]

"""Members: who they are, and what they may."""

import flask
from flask import Blueprint, current_app, request
from werkzeug import exceptions

bp = Blueprint("members", __name__)


def current() -> str:
    """Who asks."""
    name = request.headers.get("X-Member")
    if not name:
        flask.abort(401, "Who are you?")
    if name not in current_app.config["MEMBERS"]:
        raise exceptions.Unauthorized("You are no member")
    return name


def member(name: str) -> dict:
    found = current_app.config["MEMBERS"].get(name)
    if found is None:
        flask.abort(404, description="No such member")
    return found


@bp.get("/members/<name>")
def read(name: str):
    asking = current()
    if asking != name:
        raise exceptions.Forbidden("That is somebody else")
    return member(name)


@bp.post("/members/<name>/block")
def block(name: str):
    if current() == name:
        flask.abort(403, "You cannot block yourself")
    found = member(name)
    if found["blocked"]:
        raise exceptions.Conflict(description="The member is blocked already")
    found["blocked"] = True
    return "", 204


@bp.get("/members/<name>/photo")
def photo(name: str):
    member(name)
    accepted = request.accept_mimetypes.best_match(["image/png"])
    if accepted is None:
        flask.abort(406)
    raise exceptions.NotImplemented("There are no photos yet")


@bp.get("/members")
def every():
    raise exceptions.Gone("The list was taken down")

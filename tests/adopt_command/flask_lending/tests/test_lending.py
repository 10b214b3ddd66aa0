"""What the library answers: statuses and words, whatever the form."""

import pytest
from lending import create_app

ADA = {"X-Member": "ada"}
BOB = {"X-Member": "bob"}


@pytest.fixture(name="client")
def _client():
    return create_app().test_client()


ANSWERS = [
    ("GET", "/books/9", {}, 404, "No such book"),
    ("GET", "/books/by-title/Ulysses", {}, 404, "No book is called Ulysses"),
    ("POST", "/books", {"data": "x"}, 415, "Send JSON"),
    ("POST", "/books", {"json": []}, 400, "The body is not an object"),
    ("POST", "/books", {"json": {}}, 400, "A title is needed"),
    ("POST", "/books", {"json": {"title": 3}}, 422, ""),
    ("POST", "/books", {"json": {"title": "x" * 50}}, 422, "The title is too long"),
    ("POST", "/books", {"json": {"title": "Emma"}}, 409, "The book is there already"),
    ("DELETE", "/books/9", {}, 404, "No such book"),
    ("PUT", "/books/1/copies", {}, 400, "How many copies?"),
    ("PUT", "/books/1/copies?count=x", {}, 400, "The count is not a number"),
    ("PUT", "/books/1/copies?count=-1", {}, 400, "-1 copies cannot be"),
    ("GET", "/members/ada", {}, 401, "Who are you?"),
    ("GET", "/members/ada", {"headers": {"X-Member": "eve"}}, 401, "You are no member"),
    ("GET", "/members/ada", {"headers": BOB}, 403, "That is somebody else"),
    ("POST", "/members/ada/block", {"headers": ADA}, 403, "You cannot block yourself"),
    ("POST", "/members/eve/block", {"headers": ADA}, 404, "No such member"),
    ("POST", "/members/bob/block", {"headers": ADA}, 409, "The member is blocked already"),
    ("GET", "/members/ada/photo", {"headers": {"Accept": "text/plain"}}, 406, ""),
    ("GET", "/members/ada/photo", {"headers": {"Accept": "image/png"}}, 501, "There are no photos yet"),
    ("GET", "/members", {}, 410, "The list was taken down"),
    ("POST", "/loans/1", {}, 401, "Who are you?"),
    ("POST", "/loans/1", {"headers": BOB}, 403, "You are blocked"),
    ("POST", "/loans/2", {"headers": ADA}, 409, "All copies are out"),
    ("POST", "/loans/9", {"headers": ADA}, 404, "No such book"),
    ("DELETE", "/loans/1", {"headers": ADA}, 404, "You do not have it"),
    ("POST", "/ledger/sunday", {}, 503, "The ledger is closed"),
    ("POST", "/ledger/flood", {}, 503, "The cellar is under water: flood"),
    ("POST", "/ledger/tea", {}, 418, "The librarian has tea"),
    ("POST", "/ledger/lost", {}, 410, "The page is lost"),
]


@pytest.mark.parametrize(
    ("method", "path", "more", "status", "words"), ANSWERS, ids=[f"{a[0]} {a[1]}" for a in ANSWERS]
)
def test_answers(client, method, path, more, status, words):
    reply = client.open(path, method=method, **more)
    assert reply.status_code == status
    assert words in reply.get_data(as_text=True)


def test_a_book_is_lent_and_given_back(client):
    assert client.post("/loans/1", headers=ADA).status_code == 201
    again = client.post("/loans/1", headers=ADA)
    assert (again.status_code, "You have it already" in again.text) == (409, True)
    more = client.post("/loans/2", headers=ADA)
    assert (more.status_code, more.headers["Retry-After"]) == (429, "3600")
    assert "You have as many as you may" in more.text
    lent = client.delete("/books/1")
    assert (lent.status_code, lent.json) == (409, {"error": "The book is lent"})
    late = client.delete("/loans/1?days=40", headers=ADA)
    assert (late.status_code, "You owe 3.00" in late.text) == (402, True)
    assert client.delete("/loans/1", headers=ADA).status_code == 204


def test_the_shelf_is_full(client):
    for number in range(3):
        assert client.post("/books", json={"title": f"Volume {number}"}).status_code == 201
    full = client.post("/books", json={"title": "One more"})
    assert (full.status_code, "The shelf is full" in full.text) == (409, True)


def test_the_ledger_is_quiet(client):
    assert client.post("/ledger/quiet/lost").json == {"unwritten": "The page is lost"}
    assert client.post("/ledger/quiet/ink").status_code == 201

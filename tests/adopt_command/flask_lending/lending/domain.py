"""What can go wrong in a library."""

from werkzeug.exceptions import HTTPException


class ShelfFull(Exception):
    """No room for another book."""


class OverdueFine(Exception):
    """A member owes money."""


class LedgerClosed(Exception):
    """Nothing can be written down."""


class TeaTime(HTTPException):
    """An answer of the library's own."""

    code = 418
    description = "The librarian has tea"

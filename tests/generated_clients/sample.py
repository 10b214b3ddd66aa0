"""A catalogue that is awkward to write code from."""

from __future__ import annotations

from errorkit import errors
from errorkit.catalog import Catalog


class InvoiceNotFound(errors.NotFoundError):
    """The invoice is absent or another tenant's."""

    code = "invoice_not_found"
    message = "There is no such invoice."
    resolution = "List the invoices and use an id from there."
    concealable = True


class Quoted(errors.ConflictError):
    """Never served as it is."""

    code = "quoted"
    description = '"Quoted" at the start, """ in the middle, C:\\new\\table and \\N{BULLET}, */ /* ${x} `y` and "end"'
    causes = ("A tab\tand a line\nbreak.", "A bell \x07 and a zero\x00.", "Łódź \u2028 “quoted”.")
    resolution = 'Say """please""".\\'


class TimedOut(errors.GatewayTimeoutError):
    """Its class would be called as a builtin is."""

    code = "timeout"


class Long(errors.UnprocessableContentError):
    """Its code is as long as Google allows."""

    code = "a_code_that_is_as_long_as_the_longest_reason_of_googles_is_ok_1"


class Quota(errors.RateLimitError):
    """The quota is used up; the caller's own work goes on."""

    code = "quota_used_up"
    propagate = False


catalog = Catalog([InvoiceNotFound, Quoted, TimedOut, Long, Quota])

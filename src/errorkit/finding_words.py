"""The words of a validator's finding: built from its type, never such as may repeat what was submitted.

A type that pydantic knows has words of its own here. Where pydantic's message names a limit
or a choice of the schema, it stands if it has exactly the form that it should have. Of an
author's own validator the words stand as they were written, unless they hold a piece of what
was submitted, or what was submitted is not at hand to compare them with.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import islice
from typing import Any

UNKNOWN_WORDS = "Input is invalid"
"""For a finding of which nothing is known that could safely be said."""

_OBJECT, _ARRAY, _URL = "Input should be an object", "Input should be a valid array", "Input should be a valid URL"
_DATE, _DATETIME, _TIME = (f"Input should be a valid {what}" for what in ("date", "datetime", "time"))
_DURATION, _STRING, _BYTES = (f"Input should be a valid {what}" for what in ("duration", "string", "byte string"))
_INTEGER, _NUMBER, _BOOLEAN = (f"Input should be a valid {what}" for what in ("integer", "number", "boolean"))
_DECIMAL, _UUID, _COMPLEX = (f"Input should be a valid {what}" for what in ("decimal", "UUID", "complex number"))
_IP, _PATTERN, _PATH = (
    f"Input should be a valid {what}" for what in ("IP address, network or interface", "regular expression", "path")
)
_REQUIRED, _UNREADABLE, _UNEXPECTED = "Field required", "Input could not be read", "Extra inputs are not permitted"

WORDS: Mapping[str, str] = {
    "no_such_attribute": _UNREADABLE,
    "json_invalid": "Input should be valid JSON",
    "json_type": "Input should be a string of JSON",
    "needs_python_object": UNKNOWN_WORDS,
    "recursion_loop": "Input refers to itself",
    "recursion_depth_exceeded": "Input is nested too deep",
    "missing": _REQUIRED,
    "frozen_field": "Field is frozen",
    "frozen_instance": "Instance is frozen",
    "extra_forbidden": _UNEXPECTED,
    "invalid_key": "Keys should be strings",
    "get_attribute_error": _UNREADABLE,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "dataclass_type": _OBJECT,
    "dataclass_exact_type": _OBJECT,
    "named_tuple_type": "Input should be an array or an object",
    "default_factory_not_called": "The default could not be made: other fields are invalid",
    "none_required": "Input should be null",
    "greater_than": "Input is too small",
    "greater_than_equal": "Input is too small",
    "less_than": "Input is too large",
    "less_than_equal": "Input is too large",
    "multiple_of": "Input is not one of the allowed multiples",
    "finite_number": "Input should be a finite number",
    "too_short": "Input has too few items",
    "too_long": "Input has too many items",
    "iterable_type": _ARRAY,
    "iteration_error": _UNREADABLE,
    "string_type": _STRING,
    "string_sub_type": _STRING,
    "string_unicode": _STRING,
    "string_too_short": "String is too short",
    "string_too_long": "String is too long",
    "string_pattern_mismatch": "String has not the expected form",
    "string_not_ascii": "String should contain only ASCII characters",
    "enum": "Input is not one of the allowed values",
    "dict_type": _OBJECT,
    "frozen_dict_type": _OBJECT,
    "ordered_dict_type": _OBJECT,
    "counter_type": _OBJECT,
    "mapping_type": _OBJECT,
    "list_type": _ARRAY,
    "deque_type": _ARRAY,
    "tuple_type": _ARRAY,
    "set_type": _ARRAY,
    "frozen_set_type": _ARRAY,
    "set_item_not_hashable": "Set items should be hashable",
    "bool_type": _BOOLEAN,
    "bool_parsing": f"{_BOOLEAN}, unable to interpret input",
    "int_type": _INTEGER,
    "int_parsing": f"{_INTEGER}, unable to parse string as an integer",
    "int_parsing_size": "Unable to parse input string as an integer, exceeded maximum size",
    "int_from_float": f"{_INTEGER}, got a number with a fractional part",
    "float_type": _NUMBER,
    "float_parsing": f"{_NUMBER}, unable to parse string as a number",
    "bytes_type": _BYTES,
    "bytes_too_short": "Data is too short",
    "bytes_too_long": "Data is too long",
    "bytes_invalid_encoding": "Input should be correctly encoded",
    "value_error": UNKNOWN_WORDS,
    "assertion_error": UNKNOWN_WORDS,
    "literal_error": "Input is not one of the allowed values",
    "missing_sentinel_error": UNKNOWN_WORDS,
    "ellipsis_error": UNKNOWN_WORDS,
    "date_type": _DATE,
    "date_parsing": _DATE,
    "date_from_datetime_parsing": f"{_DATE} or datetime",
    "date_from_datetime_inexact": "Datetimes provided to dates should have zero time - e.g. be exact dates",
    "date_past": "Date should be in the past",
    "date_future": "Date should be in the future",
    "time_type": _TIME,
    "time_parsing": _TIME,
    "datetime_type": _DATETIME,
    "datetime_parsing": _DATETIME,
    "datetime_object_invalid": _DATETIME,
    "datetime_from_date_parsing": f"{_DATETIME} or date",
    "datetime_past": "Input should be in the past",
    "datetime_future": "Input should be in the future",
    "timezone_naive": "Input should not have timezone info",
    "timezone_aware": "Input should have timezone info",
    "timezone_offset": "Input should have another timezone offset",
    "time_delta_type": _DURATION,
    "time_delta_parsing": _DURATION,
    "is_instance_of": UNKNOWN_WORDS,
    "is_subclass_of": UNKNOWN_WORDS,
    "callable_type": UNKNOWN_WORDS,
    "union_tag_invalid": "Input tag does not match any of the expected tags",
    "union_tag_not_found": "Input has no tag that tells its kind",
    "arguments_type": "Arguments must be an array or an object",
    "missing_argument": _REQUIRED,
    "missing_keyword_only_argument": _REQUIRED,
    "missing_positional_only_argument": _REQUIRED,
    "unexpected_keyword_argument": _UNEXPECTED,
    "unexpected_positional_argument": _UNEXPECTED,
    "multiple_argument_values": "Got multiple values for argument",
    "url_type": _URL,
    "url_parsing": _URL,
    "url_syntax_violation": _URL,
    "url_too_long": "URL is too long",
    "url_scheme": "URL has not an allowed scheme",
    "uuid_type": _UUID,
    "uuid_parsing": _UUID,
    "uuid_version": "UUID is of another version than expected",
    "decimal_type": _DECIMAL,
    "decimal_parsing": _DECIMAL,
    "decimal_max_digits": "Decimal input has too many digits",
    "decimal_max_places": "Decimal input has too many decimal places",
    "decimal_whole_digits": "Decimal input has too many digits before the decimal point",
    "fraction_type": "Input should be a valid fraction",
    "fraction_parsing": "Input should be a valid fraction",
    "complex_type": _COMPLEX,
    "complex_str_parsing": _COMPLEX,
    # raised by pydantic's own types, with words of theirs
    "base64_decode": "Input should be valid Base64",
    "byte_size": "Input should be a size in bytes",
    "byte_size_unit": "Input should be a size in bytes",
    "color_error": "Input should be a valid color",
    "import_error": "Input should name something that can be imported",
    "zoneinfo_str": "Input should be a valid time zone",
    "payment_card_number_digits": "Input should be a valid card number",
    "payment_card_number_luhn": "Input should be a valid card number",
    "payment_card_number_brand": "Input should be a valid card number",
    "path_type": _PATH,
    "path_not_file": _PATH,
    "path_not_directory": _PATH,
    "path_not_socket": _PATH,
    "path_exists": _PATH,
    "parent_does_not_exist": _PATH,
    **dict.fromkeys(("pattern_type", "pattern_str_type", "pattern_bytes_type", "pattern_regex"), _PATTERN),
    **{f"ip_{kind}_{what}": _IP for kind in ("any", "v4", "v6") for what in ("address", "interface", "network")},
}
"""What each type says where its message says no more, or says more than may be shown."""

_COUNT, _LIMIT, _S = r"\d{1,20}", r"[-+]?\d[\d.,:TZ e+/-]{0,40}", "s?"
_CHOICE = r".{1,1000}"
_SEQUENCE = "(?:List|Set|Frozenset|Tuple|Deque|Dictionary|Value|Generator|Iterable|Counter|Frozendict|OrderedDict)"
_FORMS = {
    kind: re.compile(form).fullmatch
    for kind, form in {
        "greater_than": f"Input should be greater than {_LIMIT}",
        "greater_than_equal": f"Input should be greater than or equal to {_LIMIT}",
        "less_than": f"Input should be less than {_LIMIT}",
        "less_than_equal": f"Input should be less than or equal to {_LIMIT}",
        "multiple_of": f"Input should be a multiple of {_LIMIT}",
        "too_short": f"{_SEQUENCE} should have at least {_COUNT} item{_S} after validation, not {_COUNT}",
        "too_long": f"{_SEQUENCE} should have at most {_COUNT} item{_S} after validation, not (?:{_COUNT}|more)",
        "string_too_short": f"String should have at least {_COUNT} character{_S}",
        "string_too_long": f"String should have at most {_COUNT} character{_S}",
        "string_pattern_mismatch": f"String should match pattern '{_CHOICE}'",
        "enum": f"Input should be {_CHOICE}",
        "literal_error": f"Input should be {_CHOICE}",
        "bytes_too_short": f"Data should have at least {_COUNT} byte{_S}",
        "bytes_too_long": f"Data should have at most {_COUNT} byte{_S}",
        "timezone_offset": rf"Timezone offset of -?{_COUNT} required, got -?{_COUNT}",
        "union_tag_not_found": r"Unable to extract tag using discriminator '\w{1,100}'(?: \| '\w{1,100}')*",
        "url_too_long": f"URL should have at most {_COUNT} character{_S}",
        "url_scheme": r"URL scheme should be '[a-z0-9+.-]{1,40}'(?:(?:,| or) '[a-z0-9+.-]{1,40}')*",
        "uuid_version": f"UUID version {_COUNT} expected",
        "decimal_max_digits": f"Decimal input should have no more than {_COUNT} digit{_S} in total",
        "decimal_max_places": f"Decimal input should have no more than {_COUNT} decimal place{_S}",
        "decimal_whole_digits": f"Decimal input should have no more than {_COUNT} digit{_S} before the decimal point",
    }.items()
}
"""Messages that name what the schema asks for, and nothing that was submitted."""
_CHOICES = frozenset({"enum", "literal_error", "string_pattern_mismatch"})
"""Those whose form lets any text be there."""
_OF_AUTHORS = {"value_error": "Value error, ", "assertion_error": "Assertion failed, "}

_MAX_WORDS = 1024
_MAX_JUDGED = 100
_PIECE = 6
"""Characters in a row that a message and a submitted value may not share."""
_MAX_COMPARED = 2000
_WORD = re.compile(r"\w+")


def is_finding(value: Mapping[Any, Any]) -> bool:
    """Does a mapping look like one of pydantic's `errors()`."""
    return (
        isinstance(value.get("loc"), (tuple, list))
        and isinstance(value.get("type"), str)
        and (isinstance(value.get("msg"), str) or "input" in value)
    )


def are_findings(value: Any) -> bool:
    """Is it a list of pydantic's `errors()`, and not empty."""
    return (
        isinstance(value, (list, tuple))
        and bool(value)
        and all(isinstance(item, Mapping) and is_finding(item) for item in islice(value, _MAX_JUDGED))
    )


def words_of(finding: Mapping[str, Any]) -> str:
    """What may be said of a finding."""
    kind, message = finding.get("type"), finding.get("msg")
    if not isinstance(kind, str):
        return UNKNOWN_WORDS
    if not isinstance(message, str) or len(message) > _MAX_WORDS:
        return WORDS.get(kind, UNKNOWN_WORDS)
    form = _FORMS.get(kind)
    if form is not None:
        stands = form(message) is not None
        if stands and kind in _CHOICES:
            stands = not ("input" in finding and repeats(message, finding["input"]))
    elif kind in _OF_AUTHORS:
        stands = message.startswith(_OF_AUTHORS[kind]) and _says_nothing_submitted(message, finding)
    else:
        stands = kind not in WORDS and _says_nothing_submitted(message, finding)
    return message if stands else WORDS.get(kind, UNKNOWN_WORDS)


def _says_nothing_submitted(message: str, finding: Mapping[str, Any]) -> bool:
    return "input" in finding and not repeats(message, finding["input"])


def repeats(message: str, submitted: Any) -> bool:
    """Does a message hold a piece of what was submitted. What is too large to compare counts as repeated."""
    message = message.lower()
    pieces = {message[at : at + _PIECE] for at in range(len(message) - _PIECE + 1)}
    words = set(_WORD.findall(message))
    left = _MAX_COMPARED
    for text in _texts((submitted,)):
        left -= len(text) + 1
        if left < 0:
            return True
        if len(text) < _PIECE:
            if text in words or f"'{text}'" in message:
                return True
        elif not pieces.isdisjoint(text[at : at + _PIECE] for at in range(len(text) - _PIECE + 1)):
            return True
    return False


def _texts(values: Iterable[Any]) -> Iterator[str]:
    """Every text and number in JSON values, names of members included, in lower case."""
    stack = [iter(values)]
    while stack:
        for value in stack[-1]:
            if isinstance(value, (str, bytes)):
                text = value[: _MAX_COMPARED + 1]
                yield (text if isinstance(text, str) else text.decode("latin-1")).lower()
            elif isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
                yield str(value)[: _MAX_COMPARED + 1]
            elif isinstance(value, Mapping):
                stack.append(iter([part for item in value.items() for part in item]))
                break
            elif isinstance(value, (list, tuple, set, frozenset)):
                stack.append(iter(value))
                break
        else:
            stack.pop()

"""What can go wrong, as exceptions; the one place that says which error of the core is which class."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from travelsense._names import field_of, message_of

if TYPE_CHECKING:
    from collections.abc import Sequence


class FieldError(TypedDict):
    """What is wrong with one field: where, a stable code, and a sentence."""

    field: str
    code: str
    message: str


class Error(Exception):
    """Anything that travelsense refuses or cannot do.

    Attributes:
        code: a stable name for what happened, for example `locked`.
        errors: everything that is wrong, field by field; empty for most errors.
    """

    code: str
    errors: list[FieldError]

    def __init__(self, message: str = "", *, code: str = "internal", errors: Sequence[FieldError] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.errors = list(errors)

    def __str__(self) -> str:
        # An `OSError` would write its own.
        return self.message


class ValidationError(Error, ValueError):
    """The question or the data is not valid; `errors` names everything wrong with it at once."""


class StorageError(Error, OSError):
    """The disk or the file system refused: full, read-only, not permitted."""


class NotFound(StorageError, FileNotFoundError):
    """The file, its folder, or what was named does not exist."""


class Forbidden(Error, PermissionError):
    """Whoever asks may not do this."""


class Corrupt(Error):
    """A file is damaged, is of another kind, or was written by a newer version."""


class Conflict(Error):
    """What is needed is not free: the file is open elsewhere, or the store is closed."""


class Locked(Conflict):
    """Somebody else has the file open for writing."""


class LimitExceeded(Error):
    """A limit of memory or size would be exceeded."""


class Cancelled(Error):
    """The work was stopped. Ctrl-C raises `KeyboardInterrupt`, as everywhere in Python."""


class TimedOut(Cancelled, TimeoutError):
    """A question took longer than its `timeout`, or than that of the store."""


class InternalError(Error, RuntimeError):
    """A fault of travelsense itself."""


_BY_KIND: dict[str, type[Error]] = {
    "Invalid": ValidationError,
    "Forbidden": Forbidden,
    "NotFound": NotFound,
    "Conflict": Conflict,
    "Cancelled": Cancelled,
    "Limit": LimitExceeded,
    "Storage": StorageError,
    "Corrupt": Corrupt,
    "Internal": InternalError,
}

_BY_CODE: dict[tuple[str, str], type[Error]] = {
    ("Conflict", "locked"): Locked,
    ("Storage", "not_found"): NotFound,
    ("Cancelled", "timed_out"): TimedOut,
}


def of_core(kind: str, code: str, message: str, fields: Sequence[tuple[str, str, str]]) -> Error:
    """The exception for an error of the core, its fields named as Python's arguments are."""
    errors: list[FieldError] = [
        {"field": field_of(field), "code": code, "message": message_of(message)} for field, code, message in fields
    ]
    text = "; ".join(f"{e['field']}: {e['message']}" for e in errors) if errors else message_of(message)
    exception = _BY_CODE.get((kind, code)) or _BY_KIND.get(kind, Error)
    return exception(text, code=code, errors=errors)

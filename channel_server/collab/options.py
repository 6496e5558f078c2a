"""What an operator, or a test, can choose about documents."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Limits and intervals; the defaults are those of the Node program where it has them.

    Attributes:
        debounce_s: From the last change of a document until it is stored.
        max_debounce_s: From the first change until it is stored, at the latest.
        is_durable: Accept an update only when the store has it.
        max_documents: How many may be open.
        max_document_bytes: How large each may be.
        max_bytes: How large all together may be before no other one is opened.
        keep_s: How long the store keeps what nobody changes; 0: for ever.
        reauth_s: How often the application is asked whether a client still may; 0: never.
        stranger_s: How long a client may stay without having opened a document.
    """

    debounce_s: float = 5.0
    max_debounce_s: float = 30.0
    is_durable: bool = False
    max_documents: int = 100_000
    max_document_bytes: int = 10 * 1024 * 1024
    max_bytes: int = 1024 * 1024 * 1024
    keep_s: float = 0.0
    reauth_s: float = 0.0
    stranger_s: float = 60.0

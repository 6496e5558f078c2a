"""Variables that look like one of ours, and are not: a setting that was meant, and has no effect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

OURS: Final = frozenset(
    {
        "ADMIN_API_KEY", "ADMIN_HOST", "ADMIN_PASSWORD", "ADMIN_PORT",
        "APP_URL", "BOTS", "BOT_MAX_AGE_MINUTES",
        "CACHE_REDIS_EXPIRE", "CANONICAL_HOST", "COLLAB_DATABASE", "COLLAB_DEBOUNCE_SECONDS",
        "COLLAB_DURABLE_ACK", "COLLAB_HOST",
        "COLLAB_KEEP_DAYS", "COLLAB_MAX_DEBOUNCE_SECONDS", "COLLAB_MAX_DOCUMENTS", "COLLAB_MAX_DOCUMENT_MIB",
        "COLLAB_MAX_MIB", "COLLAB_PORT", "COLLAB_REAUTH_SECONDS", "COLLAB_REDIS",
        "DRAIN_DELAY_SECONDS", "DRAIN_SECONDS", "HOCUSPOCUS_PORT", "HOST",
        "JOURNAL", "JOURNAL_ENTRIES", "JOURNAL_MIB", "LOG_FORMAT",
        "LOOKUP_SECONDS", "MATRIX_ALLOWED_HOSTS",
        "MATRIX_AUTO_JOIN", "MAX_CONNECTIONS", "MAX_MESSAGE_MIB", "MAX_PACKETS_PER_SECOND", "MAX_PER_ADDRESS",
        "MAX_REQUESTS_PER_ADDRESS",
        "ORIGIN_CHECK", "PLAIN_PUBLISHERS", "PORT", "PRIVATE_APP_URL",
        "PROBE_SECONDS", "PUBLIC_APP_URL", "PUBLISHER_TIMEOUT", "RAILS_ENV",
        "RECOVERY_MINUTES", "REDIS_CACHE_URL", "REDIS_POOL_SIZE", "REDIS_URL",
        "SENTRY_DSN", "SENTRY_PUBLIC_DSN",
        "TRUSTED_PROXIES", "VIRTUAL_HOST", "WRITE_LIMIT_KIB", "WRITE_SECONDS",
    }
)  # fmt: skip

_OF_OTHERS: Final = frozenset(
    {"API_URL", "CHANNELS_URI", "CHANNELS_URL", "HOCUSPOCUS_URL", "HOME", "VIRTUAL_PORT"}
)
"""Set by Loomio's own `.env`, by proxies and by systems, and meant."""

_MAX_DISTANCE: Final = 2


def near_misses(names: Iterable[str]) -> dict[str, str]:
    """Find variables that were probably meant for us.

    Args:
        names: Of all variables that are set.

    Returns:
        The one that was meant, by the one that is set: at most two letters apart, capital or not.
    """
    found = {}
    for name in sorted(set(names) - OURS - _OF_OTHERS):
        distances = {
            ours: _distance(name, ours)
            for ours in OURS
            if abs(len(ours) - len(name)) <= _MAX_DISTANCE
        }
        if distances:
            ours = min(distances, key=lambda each: (distances[each], each))
            if distances[ours] <= _MAX_DISTANCE:
                found[name] = ours
    return found


def _distance(one: str, other: str) -> int:
    """How many letters have to be added, left out, changed, or swapped with the next."""
    rows = [list(range(len(other) + 1))]
    for i, letter in enumerate(one, 1):
        row = [i]
        for j, wanted in enumerate(other, 1):
            cost = min(
                rows[-1][j] + 1, row[j - 1] + 1, rows[-1][j - 1] + (letter.upper() != wanted)
            )
            if i > 1 and j > 1 and one[i - 2 : i].upper() == other[j - 2 : j][::-1]:
                cost = min(cost, rows[-2][j - 2] + 1)
            row.append(cost)
        rows.append(row)
    return rows[-1][-1]

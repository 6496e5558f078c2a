"""The sample users between whom the demo page lets a person choose."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoUser:
    """One sample user, as ``GET /demo/users`` lists it.

    Attributes:
        id: User id, 1 or more; the page addresses this user with ``?user=<id>``.
        name: Shown on the page.
        group_ids: Groups of the user, each 1 or more. The page offers the groups of all users.
        token: Channel token, already stored in Redis by whoever made the user. The page hands
            it to the browser, so it must not belong to a real person.
    """

    id: int
    name: str
    group_ids: tuple[int, ...]
    token: str

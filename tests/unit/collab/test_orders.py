"""Whom an order of the application reaches, among those that edit."""

from types import SimpleNamespace

import pytest

from channel_server.collab.orders import obey
from channel_server.collab.permit import Permit
from channel_server.metrics import Metrics

TOKENS = ["3,a", "03,b", "3f2a-9,c", "7,d", "0,null"]


class House:
    """Keeps what it is told to do, as the tokens of those who are meant."""

    def __init__(self):
        self.metrics = Metrics()
        self.expelled = self.asked_again = None
        self.seats = [SimpleNamespace(permit=permit_of(self, token)) for token in TOKENS]

    def expel(self, is_meant):
        self.expelled = self._meant(is_meant)

    def recheck(self, is_meant):
        self.asked_again = self._meant(is_meant)

    def _meant(self, is_meant):
        return [seat.permit._token for seat in self.seats if is_meant(seat)]


def permit_of(house, token):
    permit = Permit(house, "d", lambda _scope: None)
    permit._token = token
    return permit


@pytest.mark.parametrize(
    ("user_id", "expelled", "asked_again"),
    [
        ("3", ["3,a"], ["3,a", "03,b", "3f2a-9,c"]),
        ('"3"', ["3,a"], ["3,a", "03,b", "3f2a-9,c"]),
        ('"03"', ["03,b"], []),
        ('"3f2a-9"', ["3f2a-9,c"], []),
        ("0", ["0,null"], ["0,null"]),
        ("8", [], []),
    ],
)
def test_only_the_user_itself_is_turned_out(user_id, expelled, asked_again):
    """Rails takes `03` and `3f2a` for 3, other applications do not: it is asked."""
    house = House()

    obey(house, b'{"action":"hang_up","user_id":%s}' % user_id.encode())

    assert house.expelled == expelled
    assert house.asked_again == asked_again


def test_whoever_may_be_meant_is_asked_about_when_groups_change():
    house = House()

    obey(house, b'{"action":"set_groups","user_id":3,"group_ids":[]}')

    assert house.expelled is None
    assert house.asked_again == ["3,a", "03,b", "3f2a-9,c"]

"""From one broadcast to many clients."""

from dataclasses import dataclass, field

import pytest

from channel_server.core.names import Room
from channel_server.core.records import Broadcast
from channel_server.core.rooms import Rooms
from channel_server.live.fanout import Fanout

ROOM = Room("group-7")
NEWS = Broadcast(ROOM, "records", b'{ "room":"group-7" }')


@dataclass(eq=False)
class Recorder:
    """A client that keeps what it is told."""

    packets: list = field(default_factory=list)

    def write(self, packet):
        self.packets.append(packet)


@pytest.fixture
def rooms():
    return Rooms()


@pytest.fixture
def fanout(rooms):
    return Fanout(rooms)


@pytest.fixture
def join(rooms):
    def make(*names):
        client = Recorder()
        rooms.join(client, names)
        return client

    return make


def test_every_member_gets_the_same_packet_object(fanout, join):
    """Encoded once: identity, not equality, is the promise."""
    ann, ben = join(ROOM), join(ROOM)

    fanout.deliver(NEWS)

    assert ann.packets[0] is ben.packets[0]
    assert ann.packets[0].text == b'42["records",{ "room":"group-7" }]'


def test_members_of_other_rooms_hear_nothing(fanout, join):
    ann, ben = join(ROOM), join(Room("group-70"), Room("user-7"))

    fanout.deliver(NEWS)

    assert len(ann.packets) == 1
    assert ben.packets == []


def test_clients_and_bytes_are_counted(fanout, join):
    """The feed yields to the loop by the bytes, the metrics count the clients."""
    clients = [join(ROOM) for _ in range(3)]

    written = fanout.deliver(NEWS)

    assert written == (3, 3 * len(clients[0].packets[0].frame))


def test_empty_room_costs_nothing(fanout):
    """Most rooms are empty most of the time: nothing is encoded for them."""
    unencodable = Broadcast(ROOM, "\ud800", b"{}")

    assert fanout.deliver(unencodable) == (0, 0)


def test_offset_is_appended(fanout, join):
    ann = join(ROOM)

    fanout.deliver(NEWS, "e1-5")

    assert ann.packets[0].text == b'42["records",{ "room":"group-7" },"e1-5"]'


def test_broadcasts_arrive_in_the_order_they_were_delivered(fanout, join):
    ann = join(ROOM)
    for number in range(5):
        fanout.deliver(Broadcast(ROOM, "records", str(number).encode()))

    assert [packet.text[-2:-1] for packet in ann.packets] == [b"0", b"1", b"2", b"3", b"4"]

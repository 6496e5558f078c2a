"""From one broadcast to many clients."""

from dataclasses import dataclass, field

import pytest

from channel_server.core.names import Room
from channel_server.core.packets import text_packet
from channel_server.core.rooms import Rooms
from channel_server.live.fanout import Fanout

ROOM = Room("group-7")
NEWS = text_packet(b'42["records",{ "room":"group-7" }]')


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

    fanout.deliver(ROOM, NEWS)

    assert ann.packets[0] is ben.packets[0]


def test_members_of_other_rooms_hear_nothing(fanout, join):
    ann, ben = join(ROOM), join(Room("group-70"), Room("user-7"))

    fanout.deliver(ROOM, NEWS)

    assert len(ann.packets) == 1
    assert ben.packets == []


def test_clients_and_bytes_are_counted(fanout, join):
    """The feed yields to the loop by the bytes, the metrics count the clients."""
    clients = [join(ROOM) for _ in range(3)]

    written = fanout.deliver(ROOM, NEWS)

    assert written == (3, 3 * len(clients[0].packets[0].frame))


def test_empty_room_gets_nothing(fanout):
    assert fanout.deliver(ROOM, NEWS) == (0, 0)


def test_packets_arrive_in_the_order_they_were_delivered(fanout, join):
    ann = join(ROOM)
    packets = [text_packet(b"%d" % number) for number in range(5)]
    for packet in packets:
        fanout.deliver(ROOM, packet)

    assert ann.packets == packets

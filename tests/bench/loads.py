"""What is done to one server, and what it costs: every function measures one round."""

import time
from itertools import cycle, islice

from tests.bench.client import Client
from tests.bench.echo import Echo
from tests.bench.lanes import Lane
from tests.bench.records import EVERYONE, user_room

IN_FLIGHT = 1_000  # messages to single users that are published and not yet received
MESSAGES_PER_S = 10
SETTLE_S = 3.0
CLOSED_PER_TURN = 50  # 1 ms of work for the driver: its own delay must not look like the server's


def connects(lane: Lane, clients: int) -> float:
    """Connect clients, all rooms joined. Return CPU seconds per client."""

    def connect() -> None:
        lane.crowd.grow(clients)
        lane.calm_down()  # Node looks the token up after it has accepted the client

    return lane.cpu_s_of(connect) / clients


def deliveries(lane: Lane, messages: int) -> float:
    """Publish to everybody, one message at a time. Return CPU seconds per delivery.

    The next message is published when all clients have the one before, so no server can send
    two messages with one system call.
    """
    left = 0

    def count(_client: Client) -> None:
        nonlocal left
        left -= 1

    def all_have_it() -> bool:
        return left == 0

    def deliver() -> None:
        nonlocal left
        for _ in range(messages):
            left = len(lane.crowd.clients)
            lane.publish(EVERYONE)
            lane.pump.until(all_have_it, "a message at every client")

    lane.crowd.event = count
    return lane.cpu_s_of(deliver) / (messages * len(lane.crowd.clients))


def user_messages(lane: Lane, messages: int) -> float:
    """Publish to single users in turn, ``IN_FLIGHT`` under way. Return CPU seconds per message."""
    numbers = cycle([client.number for client in lane.crowd.clients])
    rooms = (user_room(number) for number in islice(numbers, messages))
    received = 0

    def publish_next(_client: Client) -> None:
        nonlocal received
        received += 1
        for room in islice(rooms, 1):
            lane.publish(room)

    def deliver() -> None:
        for room in islice(rooms, IN_FLIGHT):
            lane.publish(room)
        lane.pump.until(lambda: received == messages, "a message for every user")

    lane.crowd.event = publish_next
    return lane.cpu_s_of(deliver) / messages


def p99_latency(lane: Lane, duration_s: float) -> float:
    """Publish ten messages a second to everybody.

    Returns:
        Seconds from publishing to receiving that 99 % of all deliveries did not exceed.
    """
    published: list[float] = []
    received = [0] * (len(lane.crowd.clients) + 1)  # messages so far, by user number
    latencies: list[float] = []
    messages = int(duration_s * MESSAGES_PER_S)

    def note(client: Client) -> None:
        latencies.append(time.perf_counter() - published[received[client.number]])
        received[client.number] += 1

    lane.crowd.event = note
    start = time.perf_counter()
    for index in range(messages):
        lane.pump.run(start + index / MESSAGES_PER_S - time.perf_counter())
        published.append(time.perf_counter())
        lane.publish(EVERYONE)
    deliveries = messages * len(lane.crowd.clients)
    lane.pump.until(lambda: len(latencies) == deliveries, "all messages at all clients")
    latencies.sort()
    return latencies[len(latencies) * 99 // 100]


def memory(lane: Lane, clients: int) -> float:
    """Connect clients to a server that has none. Return bytes of USS per client."""
    before = lane.server.uss_bytes()
    lane.crowd.grow(clients)
    lane.calm_down()
    lane.pump.run(SETTLE_S)
    return (lane.server.uss_bytes() - before) / clients


def drop(lane: Lane) -> tuple[float, float]:
    """Reset all connections but the last at once, and that one must go on receiving.

    Returns:
        CPU seconds per dropped client, and the longest echo of the last client in seconds.
    """
    *dropped, bystander = lane.crowd.clients
    warm_up = Echo(lane, bystander)
    warm_up.run(0.2)
    warm_up.finish()
    echo = Echo(lane, bystander)
    sockets_left = lane.server.descriptors() - len(dropped)

    def vanish() -> None:
        for start in range(0, len(dropped), CLOSED_PER_TURN):
            for client in dropped[start : start + CLOSED_PER_TURN]:
                client.close()
            echo.run(0)
        lane.calm_down(echo.run, sockets=sockets_left)
        echo.finish()

    lane.crowd.clients = [bystander]
    cpu_s = lane.cpu_s_of(vanish) / len(dropped)
    lane.crowd.leave()
    return cpu_s, echo.longest_s

"""A Redis Cluster of three real primaries; its slots can be moved."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import redis
from redis.crc import key_slot

from publisher.contract import CURRENT_USERS
from publisher.contract.journal import JOURNAL
from tests.ports import free_port
from tests.servers import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import RedisServer

_SLOTS = 16_384
_WITHIN_S = 15.0
OURS = key_slot(JOURNAL.encode())
"""The slot of all keys but those of tokens."""


class Cluster:
    """Three nodes, each with a third of the slots.

    Args:
        new_redis_server: The fixture.
    """

    def __init__(self, new_redis_server: Callable[..., RedisServer]) -> None:
        self._new_redis_server = new_redis_server
        self.ports: list[int] = []
        self.nodes: list[RedisServer] = []
        for _ in range(3):
            self._start()
        bounds = [_SLOTS * number // 3 for number in range(4)]
        for number, node in enumerate(self.nodes):
            with node.client() as raw:
                raw.execute_command("CLUSTER ADDSLOTS", *range(*bounds[number : number + 2]))
                raw.execute_command("CLUSTER MEET", "127.0.0.1", self.ports[0])
        self._wait_complete()

    def _start(self) -> None:
        options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "1000")
        options += ("--repl-diskless-sync-delay", "0")
        self.ports.append(free_port())
        self.nodes.append(self._new_redis_server("--port", str(self.ports[-1]), *options))

    def _wait_complete(self) -> None:
        for node in self.nodes:
            wait_until(
                functools.partial(self._knows_all, node),
                within_s=_WITHIN_S,
                what="all nodes know each other",
            )

    def _knows_all(self, node: RedisServer) -> bool:
        with node.client() as raw:
            about = raw.execute_command("CLUSTER INFO")
            known = int(about["cluster_known_nodes"])
            return bool(about["cluster_state"] == "ok" and known == len(self.nodes))

    @staticmethod
    def _knows_replica(node: RedisServer) -> bool:
        with node.client() as raw:
            known = raw.execute_command("CLUSTER NODES").values()
            return any("slave" in about["flags"] for about in known)

    @property
    def url(self) -> str:
        """For servers and publishers."""
        return f"redis+cluster://{','.join(f'127.0.0.1:{port}' for port in self.ports)}"

    def client(self) -> redis.RedisCluster:
        """Make a client. Close it."""
        return redis.RedisCluster(host="127.0.0.1", port=self.ports[0], protocol=2)

    def owner(self) -> int:
        """Which node has our slot."""
        with self.nodes[0].client() as raw:
            slots = raw.cluster("SLOTS")
        for first, last, (_, port, *_), *_ in slots:
            if first <= OURS <= last:
                return self.ports.index(port)
        raise AssertionError("nobody has the slot")

    def move_slot(self) -> None:
        """Give our slot, with all that is in it, to another node, as redis-cli does it."""
        old = self.owner()
        new = (old + 1) % 3
        names = []
        for node in self.nodes:
            with node.client() as raw:
                names.append(raw.execute_command("CLUSTER MYID"))
        with self.nodes[old].client() as source, self.nodes[new].client() as target:
            target.execute_command("CLUSTER SETSLOT", OURS, "IMPORTING", names[old])
            source.execute_command("CLUSTER SETSLOT", OURS, "MIGRATING", names[new])
            while keys := source.execute_command("CLUSTER GETKEYSINSLOT", OURS, 100):
                source.execute_command(
                    "MIGRATE", "127.0.0.1", self.ports[new], "", 0, 5000, "KEYS", *keys
                )
            for node in (target, source):
                node.execute_command("CLUSTER SETSLOT", OURS, "NODE", names[new])
        with self.nodes[(old + 2) % 3].client() as other:
            other.execute_command("CLUSTER SETSLOT", OURS, "NODE", names[new])

    def replace_primary(self) -> None:
        """Give the node with our slot a replica, and let that take over."""
        with self.add_replica().client() as replica:
            replica.execute_command("CLUSTER FAILOVER")
            self._wait_primary(replica)

    def stop_primary(self) -> None:
        """Let the node with our slot stand still: connections stand, and nothing is answered."""
        old, replica = self.nodes[self.owner()], self.add_replica()
        old.pause()
        with replica.client() as raw:
            self._wait_primary(raw)

    @staticmethod
    def _wait_primary(raw: redis.Redis) -> None:
        wait_until(
            lambda: raw.info("replication")["role"] == "master",
            within_s=_WITHIN_S,
            what="it has taken over",
        )

    def add_replica(self) -> RedisServer:
        """Start a replica of the node with our slot, which all nodes know as such."""
        with self.nodes[self.owner()].client() as primary:
            name = primary.execute_command("CLUSTER MYID")
        self._start()
        with self.nodes[-1].client() as replica:
            replica.execute_command("CLUSTER MEET", "127.0.0.1", self.ports[0])
            self._wait_complete()
            replica.execute_command("CLUSTER REPLICATE", name)
            wait_until(
                lambda: replica.info("replication").get("master_link_status") == "up",
                within_s=_WITHIN_S,
                what="it has everything",
            )
        for node in self.nodes:  # they vote for it
            wait_until(
                functools.partial(self._knows_replica, node),
                within_s=_WITHIN_S,
                what="all nodes know it as a replica",
            )
        return self.nodes[-1]

    def announce(self, ports: list[int]) -> None:
        """Let the nodes name these ports instead of their own; return when all know."""
        for node, own, port in zip(self.nodes, self.ports, ports, strict=True):
            with node.client() as raw:
                raw.config_set("cluster-announce-bus-port", own + 10_000)
                raw.config_set("cluster-announce-port", port)

        def is_known() -> bool:
            for node in self.nodes:
                with node.client() as raw:
                    if {place[1] for _, _, place, *_ in raw.cluster("SLOTS")} != set(ports):
                        return False
            return True

        wait_until(is_known, within_s=_WITHIN_S, what="all nodes name these ports")

    def tokens_at_owner(self, *, are_there: bool) -> Iterator[str]:
        """Names of tokens that the node with our slot has, or that other nodes have."""
        with self.client() as raw:
            port = self.ports[self.owner()]
            for number in range(_SLOTS):
                node = raw.get_node_from_key(f"{CURRENT_USERS}t{number}")
                if (node.port == port) is are_there:
                    yield f"t{number}"

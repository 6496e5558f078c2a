"""Every scenario by name, in the order of the table."""

from typing import Final

from tests.chaos.scenario import Scenario
from tests.chaos.scenarios import (
    broken_journal,
    failover,
    recorder,
    redis_faults,
    restarts,
    slow_reader,
    storm,
)

SCENARIOS: Final = {
    "jitter": Scenario(
        "cuts only, a fifth of them half-open; plain and lib", restarts.jitter, has_peer=True
    ),
    "kill": Scenario("kill -9 of the only server; lib", restarts.kill, has_peer=True),
    "kill-plain": Scenario(
        "kill -9 of the only server; plain and lib, the missing is admitted", restarts.kill_plain
    ),
    "restart": Scenario("SIGTERM and restart; lib", restarts.restart, has_peer=True),
    "restart-beside": Scenario(
        "SIGTERM and restart beside a second node; plain", restarts.restart_beside
    ),
    "rolling": Scenario("rolling restart of two nodes; plain and lib", restarts.rolling),
    "recorder-killed": Scenario("two nodes, the recording one killed; plain", recorder.killed),
    "recorder-deaf": Scenario(
        "two nodes, the recording one's subscription dies silently; plain", recorder.deaf
    ),
    "subscribers": Scenario(
        "CLIENT KILL TYPE pubsub on two nodes; plain and lib", redis_faults.subscribers_killed
    ),
    "redis-restart": Scenario(
        "Redis killed and restarted empty; lib", redis_faults.restarted_empty
    ),
    "redis-stop": Scenario("Redis SIGSTOP; lib", redis_faults.stopped),
    "sentinels": Scenario(
        "two nodes, the primary killed, three Sentinels name another; lib", failover.by_sentinels
    ),
    "demotion": Scenario(
        "two nodes, the primary becomes a replica in its place; lib", failover.in_place
    ),
    "wrong-type": Scenario(
        "journal key of the wrong type; plain and lib", broken_journal.wrong_type
    ),
    "memory": Scenario("Redis out of memory; plain and lib", broken_journal.out_of_memory),
    "slow": Scenario(
        "one client reads 2 KB/s while its room gets 200; plain", slow_reader.hung_up
    ),
    "storm": Scenario("all clients return at once after kill -9; lib", storm.all_return),
}

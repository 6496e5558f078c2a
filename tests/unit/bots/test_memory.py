"""What is remembered, how much, and how long."""

from channel_server.bots.memory import Memory


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s


def test_remembers_for_a_while():
    clock = Clock()
    memory = Memory(10, 60.0, clock)
    memory.put("a", "x")
    clock.now_s = 59.0
    assert memory.get("a") == "x"
    clock.now_s = 60.0
    assert memory.get("a") is None


def test_forgets_the_oldest():
    memory = Memory(2, 60.0, Clock())
    for key in "aba":  # a is the newest now
        memory.put(key, key)
    memory.put("c", "c")
    assert [memory.get(key) for key in "abc"] == ["a", None, "c"]
    assert len(memory) == 2


def test_forgets_on_request():
    memory = Memory(2, 60.0, Clock())
    memory.put("a", "x")
    memory.forget("a")
    memory.forget("never known")
    assert memory.get("a") is None

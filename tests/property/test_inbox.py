"""An inbox against a list: in order, and never more than its bounds."""

from hypothesis import given
from hypothesis import strategies as st

from channel_server.engine.inbox import Ending, Inbox

MAX_BYTES = 20
items = st.text(max_size=12) | st.binary(max_size=12) | st.builds(Ending, st.just("bye"))
steps = st.lists(items | st.none(), max_size=40)


def size(item):
    return 0 if isinstance(item, Ending) else len(item)


@given(steps)
def test_what_was_taken_in_comes_out_in_order_and_within_the_bound(steps):
    """None stands for taking one out."""
    inbox, model = Inbox(MAX_BYTES), []
    for item in steps:
        if item is None:
            assert inbox.pop() == (model.pop(0) if model else None)
        elif inbox.push(item):
            model.append(item)
        else:
            assert sum(map(size, model)) + size(item) > MAX_BYTES
        assert sum(map(size, model)) <= MAX_BYTES

    rest = [inbox.pop() for _ in model]
    assert rest == model
    assert inbox.pop() is None

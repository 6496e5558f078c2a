"""Every place in Loomio that publishes: which rooms, which collection, for whom."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from publisher import InvalidMessage, loomio
from publisher.batch import Batch
from publisher.testing import AsyncRecordingPublisher, RecordingPublisher
from tests.unit.publisher.loomio.models import model

DOCS = Path(__file__).parents[4] / "docs" / "publishing.md"


class Target(Batch):
    """Notes what it is asked to publish."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def publish_models(
        self, models, *, serializer=None, root=None, group_id=None, user_id=None, to_nobody=False
    ):
        assert to_nobody is (group_id is None and user_id is None)
        name = None if serializer is None else serializer.__name__
        self.asked.append((list(models), name, root, group_id, user_id))

    def publish_system_notice(self, notice, *, version=None, reload=False):
        self.asked.append((notice, version, reload))


@pytest.fixture
def target():
    return Target()


def some(**attributes):
    return SimpleNamespace(**attributes)


def to_group(record, group_id):
    return ([record], None, None, group_id, None)


def to_user(record, user_id):
    return ([record], None, None, None, user_id)


def test_an_event_goes_to_its_group_and_to_each_guest(target):
    eventable = some(group_id=7, guests=[some(id=3), some(id=4)])
    event = some(eventable=eventable)

    loomio.event_live_update(target, event)

    assert target.asked == [to_group(event, 7), to_user(event, 3), to_user(event, 4)]


@pytest.mark.parametrize(
    "eventable", [None, some(group_id=None), some(group_id=None, guests=list)]
)
def test_an_event_of_nothing_or_without_a_group_goes_nowhere(target, eventable):
    loomio.event_live_update(target, some(eventable=eventable))

    assert target.asked == []


def test_a_direct_thread_reaches_its_guests_only(target):
    event = some(eventable=some(group_id=None, guests=[some(id=3)]))

    loomio.event_live_update(target, event)

    assert target.asked == [to_user(event, 3)]


def test_a_comment_belongs_to_the_group_and_the_guests_of_its_thread(target):
    comment = model("Comment", {"id": 1})
    comment.discussion = some(group_id=7, guests=[some(id=3)])
    event = some(eventable=comment)

    loomio.event_live_update(target, event)

    assert target.asked == [to_group(event, 7), to_user(event, 3)]


def test_a_stance_belongs_to_the_group_of_its_poll_and_has_no_guests(target):
    event = some(eventable=some(poll=some(group_id=7, guests=[some(id=3)])))

    loomio.event_live_update(target, event)

    assert target.asked == [to_group(event, 7)]


def test_notifications_go_to_their_user(target):
    one = some(user_id=5)
    many = [some(id=number) for number in range(40)]

    loomio.notification(target, one)
    loomio.notifications_read(target, many[:2], 5)
    loomio.notifications_viewed(target, many, 5)

    assert target.asked == [
        to_user(one, 5),
        (many[:2], None, None, None, 5),
        (many[:30], None, None, None, 5),
    ]


def test_discussions(target):
    discussion = some(group_id=7)

    loomio.discussion_read(target, some(discussion=discussion, user_id=5))
    loomio.discussion_closed(target, discussion)
    loomio.discussion_seen(target, discussion)

    assert target.asked == [
        ([discussion], "DiscussionSerializer", "discussions", None, 5),
        to_group(discussion, 7),
        to_group(discussion, 7),
    ]


def test_polls_and_stances(target):
    created = some()
    poll = some(group_id=7, created_event=created)
    stances = [some(id=number, poll=poll) for number in range(60)]
    # Its thread has a group; that is not asked, as in Rails.
    direct = some(poll=some(group_id=None, discussion=some(group_id=9)))

    loomio.poll_discarded(target, poll)
    loomio.stance_replaced(target, stances[0])
    loomio.stance_replaced(target, direct)
    loomio.stances_outdated(target, stances, poll)

    assert target.asked == [
        to_group(created, 7),
        to_group(stances[0], 7),
        to_group(direct, None),
        (stances[:50], None, None, 7, None),
    ]


def test_everything_else(target):
    record = some(group_id=None, group=some(id=7), guests=[some(id=3)])
    tag, group, user = some(group_id=7), some(id=7), some(id=5)
    translations, events = [some(), some()], [some()]

    loomio.task_done(target, record)
    loomio.tag_changed(target, tag)
    loomio.translations_updated(target, translations, 7)
    loomio.membership_titles_changed(target, user, 7)
    loomio.transcript_appended(target, record)
    loomio.comments_moved(target, events, 7)
    loomio.poll_template_settings_changed(target, group)
    loomio.system_notice(target, "Hi", version="3", reload=True)

    assert target.asked == [
        to_group(record, 7),
        to_user(record, 3),
        to_group(tag, 7),
        to_group(translations[0], 7),
        to_group(translations[1], 7),
        ([user], "AuthorSerializer", None, 7, None),
        to_group(record, 7),
        to_group(events[0], 7),
        to_group(group, 7),
        ("Hi", "3", True),
    ]


def test_a_batch_and_a_publisher_are_targets():
    publisher = RecordingPublisher()
    columns = {"name": "a", "color": "red", "taggings_count": 0, "group_id": 7, "priority": 0}
    tag = model("Tag", {"id": 1, **columns})

    loomio.tag_changed(publisher, tag)
    with publisher.batch() as batch:
        loomio.tag_changed(batch, tag)

    assert publisher.records("group-7") == [{"tags": [vars(tag)]}] * 2


@pytest.mark.parametrize("group_id", [True, 7.9, "", "x y"])
def test_a_wrong_id_of_a_group_is_nobodys_room(group_id):
    publisher = RecordingPublisher()

    with pytest.raises(InvalidMessage, match="group_id must be an int"):
        loomio.tag_changed(publisher, some(group_id=group_id))


@pytest.mark.parametrize(
    ("call", "models"),
    [
        (loomio.notification, some(id=1)),
        (loomio.poll_discarded, some(group_id=7)),
        (loomio.poll_discarded, {"group_id": 7}),
    ],
)
def test_what_a_model_lacks_is_named(call, models):
    with pytest.raises(InvalidMessage, match=r"models cannot be read: .*(user_id|created_event)"):
        call(RecordingPublisher(), models)


def test_all_of_a_call_is_published_or_nothing():
    publisher = RecordingPublisher()
    group = model("Group", {"id": 7})
    record = some(group_id=7, guests=[some(id=3), some(id=None)])

    with pytest.raises(InvalidMessage, match=r"guests\.id is missing"):
        loomio.task_done(publisher, record)
    with pytest.raises(InvalidMessage):
        loomio.translations_updated(publisher, [group, some(id=1)], 7)

    assert publisher.published == []


@pytest.mark.parametrize(
    "eventable", [model("Group", {"id": 7}), {"id": 7}], ids=["object", "mapping"]
)
def test_a_group_belongs_to_itself(target, eventable):
    event = some(eventable=eventable, eventable_type="Group")

    loomio.event_live_update(target, event)

    assert target.asked == [to_group(event, 7)]


class Related:
    """As Django's related managers, which can be called, with something else."""

    def __call__(self, *, manager):
        raise AssertionError(manager)

    def all(self):
        return [some(id=3)]


def test_guests_may_be_a_relation_of_django(target):
    record = some(group_id=None, guests=Related())

    loomio.task_done(target, record)

    assert target.asked == [to_user(record, 3)]


def test_an_asynchronous_publisher_is_told_to_batch():
    with pytest.raises(InvalidMessage, match="pass a batch"):
        loomio.tag_changed(AsyncRecordingPublisher(), some(group_id=7))


ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in DOCS.read_text("utf-8").split("## Loomio's own call sites")[1].splitlines()
    if line.startswith("| ") and "`loomio." in line
]
THREAD = some(id=12, group_id=7, guests=[some(id=3)])
POLL = some(id=30, group_id=7, created_event=some(id=91))
CALLS = {
    "event_live_update": [some(eventable=THREAD)],
    "notification": [some(user_id=5)],
    "notifications_read": [[some(id=1)], 5],
    "notifications_viewed": [[some(id=1)], 5],
    "discussion_read": [some(discussion=THREAD, user_id=5)],
    "discussion_closed": [THREAD],
    "discussion_seen": [THREAD],
    "poll_discarded": [POLL],
    "stance_replaced": [some(poll=POLL)],
    "stances_outdated": [[some(id=1)], POLL],
    "task_done": [THREAD],
    "tag_changed": [some(group_id=7)],
    "translations_updated": [[some(id=1), some(id=2)], 7],
    "membership_titles_changed": [some(id=5), 7],
    "transcript_appended": [THREAD],
    "comments_moved": [[some(id=91)], 7],
    "poll_template_settings_changed": [some(id=7)],
    "system_notice": ["Hi"],
}


@pytest.mark.parametrize(("place", "function", "goes_to"), ROWS, ids=lambda cell: cell[:40])
def test_every_row_of_the_table_in_the_docs_goes_where_it_says(target, place, function, goes_to):
    name = function.strip("`").removeprefix("loomio.")

    getattr(loomio, name)(target, *CALLS[name])

    assert place.startswith(("`", "the rake task"))
    rooms = {"a group": set(), "a user": set()}
    for asked in target.asked:
        if len(asked) == 5:
            rooms["a group"].add(asked[3])
            rooms["a user"].add(asked[4])
    assert (7 in rooms["a group"]) is goes_to.startswith("the group")
    assert (3 in rooms["a user"]) is ("each guest" in goes_to)
    is_personal = goes_to in {"the user", "the recipient", "the reader"}
    assert (5 in rooms["a user"]) is is_personal
    assert (not rooms["a group"]) is (goes_to == "everybody")


def test_the_table_in_the_docs_names_every_function_and_no_other():
    assert {function for _, function, _ in ROWS} == {f"`loomio.{name}`" for name in loomio.__all__}
    assert set(CALLS) == set(loomio.__all__)

"""Loomio's models as a test needs them: objects whose attributes are those of a record."""

from types import SimpleNamespace

DROPPED = {"titles", "delegates", "has_discussions", "complete", "eventable"}
"""What a serializer makes itself."""


def model(kind, record, **more):
    """An object of a class of this name."""
    attributes = {name: value for name, value in record.items() if name not in DROPPED}
    return type(kind, (SimpleNamespace,), {})(**(attributes | more))


class World:
    """The models behind one message, each of them once."""

    def __init__(self, records):
        self._records = records
        self.users = {each["id"]: self._user(each) for each in records["users"]}
        (self.group,) = (self._group(each) for each in records["groups"])
        (self.discussion,) = (self._discussion(each) for each in records["discussions"])
        self.comments = {each["id"]: self._comment(each) for each in records["comments"]}
        self.events = {}
        for record in [*records["parent_events"], *records["events"]]:
            if record["id"] not in self.events:
                self.events[record["id"]] = self._event(record)
        self.discussion.created_event = self.events[40]

    def _user(self, record):
        experiences = {"titles": record["titles"], "delegates": record["delegates"]}
        return model("User", record, email="secret", experiences=experiences)

    def _group(self, record):
        return model(
            "Group", record, discussions_count=record["discussions_count"], has_discussions=True
        )

    def _discussion(self, record):
        names = {
            "id": "discussion_reader_id",
            "volume": "discussion_reader_volume",
            "user_id": "discussion_reader_user_id",
            **{
                name: name
                for name in ("last_read_at", "dismissed_at", "read_ranges", "revoked_at")
            },
            **{name: name for name in ("inviter_id", "guest", "admin")},
        }
        reader = None
        if "discussion_reader_id" in record:
            reader = {name: record[source] for name, source in names.items()}
        return model(
            "Discussion",
            record,
            author=self.users[record["author_id"]],
            group=self.group,
            active_polls=[],
            forked_event=None,
            reader=reader,
        )

    def _comment(self, record):
        return model(
            "Comment",
            record,
            user_id=record["author_id"],
            author=self.users.get(record["author_id"]),
            discussion=self.discussion,
        )

    def _event(self, record):
        is_comment = record["eventable_type"] == "Comment"
        eventable = self.comments[record["eventable_id"]] if is_comment else self.discussion
        return model(
            "Event",
            record,
            actor=self.users[record["actor_id"]],
            eventable=eventable,
            discussion=self.discussion,
            parent=self.events.get(record["parent_id"]),
            custom_fields=None,
        )

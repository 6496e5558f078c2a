"""Mistakes of a declaration are found when it is made, before they publish too much."""

import re
import subprocess
import sys

import pytest

from publisher.serializers import Attribute, Attributes, HasOne, Hidden, Serializer

ID = {"attributes": Attributes("id")}


def always(*_):
    return True


def declare(names, **arguments):
    return type("Wrong", (Serializer,), names, **arguments)


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        ({**ID, "hidden": Hidden("bodyy", when=always)}, "attributes lacks bodyy"),
        ({**ID, "hidden": Hidden("id")}, "hidden needs when=..."),
        ({**ID, "hide": Hidden("id", when=always)}, "has Hidden under another name than hidden"),
        ({"fields": Attributes("id")}, "has Attributes under another name than attributes"),
        ({"attributes": ("id")}, "attributes must be Attributes(...)"),
        ({**ID, "name": Attribute(source="username")}, "attributes lacks name"),
    ],
    ids=["typo", "when", "hide", "fields", "tuple", "unlisted"],
)
def test_a_mistake_is_named(names, problem):
    with pytest.raises(TypeError, match=re.escape(problem)):
        declare(names)


class Base(Serializer):
    root = "remarks"
    attributes = Attributes("id", "email", "name")
    email = Attribute(when=lambda _, scope: scope.current_user_id == 7)
    author = HasOne(serializer="Base", is_optional=True)


def test_what_is_omitted_is_not_there_at_all():
    class Short(Base, omit=("email", "author")):
        pass

    assert Short.attributes == ("id", "name")
    assert Short.links == ()
    with pytest.raises(TypeError, match="Wrong cannot omit mail"):
        type("Wrong", (Base,), {}, omit=("mail",))


def test_a_subclass_has_the_collection_of_its_base_unless_it_is_for_others():
    class Same(Base):
        pass

    class Other(Base, model="Letter"):
        pass

    assert (Same.root, Other.root) == ("remarks", "letters")


def test_a_class_of_an_application_is_none_of_loomios_because_of_its_name():
    """Found by a user: an own class named Tag was published as Loomio's."""
    program = (
        "from publisher.serializers import serialize_models\n"
        "class Tag:\n"
        "    id, group_id, name, color, taggings_count = 1, 2, 'secret', 'x', 0\n"
        "try:\n"
        "    serialize_models(Tag())\n"
        "except ValueError as error:\n"
        "    print(error)\n"
    )

    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert "are of a type without a serializer: Tag; declare one" in run.stdout


def test_attributes_are_named_one_after_the_other():
    with pytest.raises(TypeError, match="Attributes takes names, one after the other"):
        Attributes(["id", "name"])

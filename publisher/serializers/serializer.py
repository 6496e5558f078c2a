"""Serializers: which attributes of a model stand in its record, and which records come along."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from publisher.serializers.fields import Association, Attribute, Attributes, Hidden
from publisher.serializers.links import Link
from publisher.serializers.names import plural
from publisher.serializers.plan import Plan
from publisher.serializers.registry import registry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from publisher.serializers.scope import Scope

Model = TypeVar("Model")


class Serializer(Generic[Model]):
    """Base of all serializers. Never instantiated: a subclass is a declaration.

    Class arguments, as in ``class CommentSerializer(Serializer[Comment], model=Comment)``:
        model: Class of the models that it is for, or its name; also for subclasses. Without one it
            has to be named where it is used.
        omit: Names of attributes and associations of the base that it does without.
        is_ready_made: One of an application for the same models comes before it.

    Class attributes:
        root: Collection of its records if they are what is published; ``blogposts`` for
            a ``BlogPost`` if omitted, as in Rails.
        attributes: Names, in the order in which they stand in the record. One that is not simply
            read from the model is declared beside: ``pinned_title = Attribute(...)``.
        hidden: Attributes that are null sometimes.
        needs: Associations that attributes depend on, for loaders: only those that are not
            followed anyway.

    Associations are declared in the order in which they are followed: ``author = HasOne(...)``,
    ``tags = HasMany(...)``. A subclass takes over those of its base. Where a name is taken by one of
    the above, an underscore follows: ``root_ = Attribute(...)``.
    """

    model_name: ClassVar[str] = ""
    root: ClassVar[str] = ""
    attributes: ClassVar[Attributes] = Attributes()
    hidden: ClassVar[Hidden] = Hidden()
    needs: ClassVar[tuple[str, ...]] = ()
    links: ClassVar[tuple[Link, ...]] = ()

    makes_records: ClassVar[bool] = False
    """It has a ``record_of`` of its own."""

    plan: ClassVar[Plan]

    def __init_subclass__(
        cls,
        *,
        model: type | str | None = None,
        omit: tuple[str, ...] = (),
        is_ready_made: bool = False,
        **options: object,
    ) -> None:
        super().__init_subclass__(**options)
        fields: dict[str, Attribute | Association] = {}
        for base in reversed(cls.__mro__):
            fields.update(
                (name.removesuffix("_"), value)
                for name, value in vars(base).items()
                if isinstance(value, (Attribute, Association))
            )
        cls._check(fields, omit)
        cls.attributes = Attributes(*(name for name in cls.attributes if name not in omit))
        fields = {name: field for name, field in fields.items() if name not in omit}
        cls.links = tuple(
            Link(name, field, cls.__name__, cls.__module__)
            for name, field in fields.items()
            if isinstance(field, Association)
        )
        specials = {name: field for name, field in fields.items() if isinstance(field, Attribute)}
        # Who has forgotten to declare one of their own finds Loomio's.
        name = f"loomio.{cls.__name__}" if is_ready_made else cls.__name__
        cls.plan = Plan(name, cls.attributes, specials, cls.hidden)
        if model is not None:
            cls.model_name = model if isinstance(model, str) else model.__name__
        if "root" not in vars(cls) and (model is not None or not cls.root):
            cls.root = plural(cls.model_name.lower()) if cls.model_name else ""
        cls.makes_records = "record_of" in {
            name for base in cls.__mro__ if base is not Serializer for name in vars(base)
        }
        registry.add(cls, model, is_ready_made=is_ready_made)

    @classmethod
    def _check(cls, fields: Mapping[str, Attribute | Association], omit: tuple[str, ...]) -> None:
        """Mistakes in a declaration would publish too much, or nothing, without a word.

        Raises:
            TypeError: For each of them.
        """
        own = vars(cls)
        for kind, name in ((Attributes, "attributes"), (Hidden, "hidden")):
            if any(isinstance(value, kind) and found != name for found, value in own.items()):
                raise TypeError(
                    f"{cls.__name__} has {kind.__name__} under another name than {name}"
                )
        if not isinstance(cls.attributes, Attributes):
            raise TypeError(f"{cls.__name__}.attributes must be Attributes(...)")
        if cls.hidden and cls.hidden.when is None:
            raise TypeError(f"{cls.__name__}.hidden needs when=...")
        names = set(cls.attributes)
        listed = {
            found.removesuffix("_") for found, value in own.items() if isinstance(value, Attribute)
        }
        if unlisted := (listed | own.get("hidden", Hidden())) - names:
            raise TypeError(f"{cls.__name__}.attributes lacks {', '.join(sorted(unlisted))}")
        if unknown := set(omit) - names - set(fields):
            raise TypeError(f"{cls.__name__} cannot omit {', '.join(sorted(unknown))}")

    @classmethod
    def record_of(cls, model: Model, scope: Scope) -> dict[str, object]:
        """The attributes of one model, as JSON values; a subclass may make them in its own way.

        Raises:
            InvalidMessage: If the model lacks one, or has a value that JSON does not know.
        """
        return cls.plan.write(model, scope)

"""What the instances of a mapped design are, in the words of its family."""

from collections.abc import Mapping

from gatesmith.flows.silicon.mapping import memory_of

__all__ = ["label_of"]


def label_of(instance: str, labels: Mapping[str, str]) -> str:
    """An instance in words: its own, or as a part of the instance that it is in.

    ``labels`` is what the family says of its instances; memories are named by their own names.
    """
    if instance in labels:
        return labels[instance]
    above, _, last = instance.rpartition(".")
    memory = memory_of(instance)
    if memory is None and not above:
        return last
    return f"{memory or last} of {label_of(above, labels).split(':')[0]}"

"""A class for CPython made of a plain one and other methods: one class, not one that is derived from the other.

Rules
1. Taken by agent.base.straight_fifo and agent.link.straight_stream: what is derived from theirs is a chain of two.
2. A plain method that is still needed is there under a second name.
"""

from types import FunctionType

CPYTHON_ONLY = True  # a board has one form of each class


def remade(plain, twin, slots, second_names):
    """Return the class `plain` with the methods of `twin` in the place of its own, and with further `slots`.

    `second_names` gives {name of a plain method: the other name for it}. The slots of `plain` are a tuple, and none of
    its methods says `super()`: that would mean the class it was.
    """
    members = {name: member for name, member in vars(plain).items() if name not in plain.__slots__}
    members.update({name: getattr(plain, method) for method, name in second_names.items()})
    members.update({name: member for name, member in vars(twin).items() if isinstance(member, FunctionType)})
    members.update(__module__=twin.__module__, __slots__=(*plain.__slots__, *slots))
    return type(plain.__name__, plain.__bases__, members)

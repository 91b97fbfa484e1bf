"""Toolcart as a library: every message of Open Protocol read and built; and as it is installed, one name for all.

    import toolcart

    message = toolcart.decode(frame)
    frame = toolcart.encode(64, tightening_id=0)

What stands in `toolcart.agent.catalogue.__all__` is here too, imported when it is first used (docs/open-protocol.md).
`toolcart.agent`, `toolcart.board` and `toolcart.tools` lie below this name, so that packages called agent, board or
tools may be installed beside it. The command starts with `toolcart` or `python -m toolcart`.
"""

_LIBRARY = __name__ + ".agent.catalogue"


def _library():
    return __import__(_LIBRARY, None, None, ("decode",))  # importlib alone takes longer to import than this module


def __getattr__(name):
    """Return a name of the library, or the version; AttributeError if there is none."""
    if name == "__version__":
        from importlib.metadata import version

        found = version("toolcart")
    elif name[:2] == "__" and name != "__all__":
        raise AttributeError("toolcart has no " + name)
    else:
        library = _library()
        if name not in library.__all__ and name != "__all__":
            raise AttributeError("toolcart has no " + name)
        found = getattr(library, name)
    globals()[name] = found
    return found


def __dir__():
    return sorted([*_library().__all__, "__version__"])

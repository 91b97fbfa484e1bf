"""Toolcart as a library that reads and builds every message of Open Protocol.

    import toolcart

    message = toolcart.decode(frame)
    frame = toolcart.encode(64, tightening_id=0)

`connect` and the like are the client (`toolcart.client`), `toolcart.simulated` has controllers for tests,
`toolcart.captures` reads captures.

The names in `__all__` of `toolcart.catalogue` and `toolcart.client` are here too. All are imported when first
used: a chip, and a service that only runs the agent, load nothing of them (docs/library/catalogue.md). The command is
`toolcart` or `python -m toolcart`.
"""


# Imports inside functions, not by name: what packs programs (PyInstaller) finds them.
def _client():
    import toolcart.client

    return toolcart.client


def _captures():
    import toolcart.captures

    return toolcart.captures


def _messages():
    import toolcart.messages  # made by a build

    return toolcart.messages


def _simulated():
    import toolcart.simulated

    return toolcart.simulated


def _catalogue():
    import toolcart.catalogue

    return toolcart.catalogue


_MODULES = {
    "captures": _captures,
    "catalogue": _catalogue,
    "client": _client,
    "messages": _messages,
    "simulated": _simulated,
}


def __getattr__(name):
    """Return a name of the library, or the version; AttributeError if there is none."""
    if name == "__version__":
        from importlib.metadata import version

        value = version("toolcart")
    elif name in _MODULES:
        value = _MODULES[name]()
    elif name[:2] == "__" and name != "__all__":
        raise AttributeError("toolcart has no " + name)
    else:
        library = _catalogue()
        if name not in library.__all__ and name != "__all__":
            library = _client()
        if name not in library.__all__ and name != "__all__":
            raise AttributeError("toolcart has no " + name)
        value = getattr(library, name)
    globals()[name] = value
    return value


def __dir__():
    return sorted(_catalogue().__all__ + _client().__all__ + ["__version__"] + list(_MODULES))

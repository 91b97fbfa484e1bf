"""Toolcart as a library that reads and builds every message of Open Protocol; and, installed, one name for everything.

    import toolcart

    message = toolcart.decode(frame)
    frame = toolcart.encode(64, tightening_id=0)

`connect` and the like are the client (`toolcart.client`), `toolcart.simulated` has controllers for tests.

The names in `toolcart.agent.catalogue.__all__` are here too, imported when first used (docs/library/catalogue.md).
`toolcart.agent`, `toolcart.board` and `toolcart.tools` are below this name, so that packages called agent, board or
tools may be installed beside it: a module below that imports `agent` gets `toolcart.agent`. The command is `toolcart`
or `python -m toolcart`.
"""

import builtins
import sys
from _frozen_importlib_external import SourceFileLoader  # as in importlib.machinery, which takes time to import

_LIBRARY = __name__ + ".agent.catalogue"
_CLIENT = __name__ + ".client"
_CLIENTS = (
    "BlockingController",
    "ClientError",
    "Connection",
    "ConnectionLost",
    "Controller",
    "OutOfOrder",
    "Received",
    "Refused",
    "Unanswered",
    "connect",
    "connect_blocking",
    "connect_serial",
    "connect_serial_blocking",
)
_ROOTS = ("agent", "board", "client", "tools")


def _import(name, given=None, local=None, fromlist=(), level=0):
    """Do what `import` does in a module below this name: our trees come from below it, whatever else is installed."""
    if level or name.partition(".")[0] not in _ROOTS:
        return __import__(name, given, local, fromlist, level)
    found = __import__(__name__ + "." + name, given, local, fromlist)
    return found if fromlist else getattr(found, name.partition(".")[0])


class _Loader(SourceFileLoader):
    """Gives a module its own `import`."""

    def exec_module(self, module):
        vars(module)["__builtins__"] = {**vars(builtins), "__import__": _import}
        super().exec_module(module)


class _Finder:
    """Finds what the other finders find, and lets `_Loader` load it if it is below this name."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        """Return the spec of one of our modules, None for all others."""
        if not name.startswith(__name__ + "."):
            return None
        for finder in sys.meta_path:
            spec = None if finder is _Finder else finder.find_spec(name, path, target)
            if spec is not None:
                if type(spec.loader) is SourceFileLoader:
                    spec.loader = _Loader(spec.loader.name, spec.loader.path)
                return spec
        return None


sys.meta_path.insert(0, _Finder)


def _library():
    return __import__(_LIBRARY, None, None, ("decode",))  # importlib takes longer to import than this module


def __getattr__(name):
    """Return a name of the library, or the version; AttributeError if there is none."""
    if name == "__version__":
        from importlib.metadata import version

        found = version("toolcart")
    elif name in _CLIENTS:
        found = getattr(__import__(_CLIENT, None, None, (name,)), name)
    elif name in ("client", "simulated"):
        found = __import__(__name__ + "." + name, None, None, ("*",))
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
    return sorted([*_library().__all__, *_CLIENTS, "__version__", "client", "simulated"])

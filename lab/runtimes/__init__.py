"""Real MicroPythons on a PC: which there are, how each is fetched, and how to start a script on it.

    from lab import runtimes
    unix32 = runtimes.named("unix32")
    reason = unix32.fetch()                    # "" when it is there and runs, else why not
    subprocess.run(unix32.command("script.py", heap="64k"))

Nothing is installed on the system: everything is in the ignored folder `.cache` of the checkout.
"""

from lab.runtimes.build import compiled_tree
from lab.runtimes.catalogue import Runtime, all, build_at, named  # noqa: A004 - `runtimes.all()` is how it reads

__all__ = ["Runtime", "all", "build_at", "compiled_tree", "named"]

"""The settings of a file as an outlet; its code is loaded where one is configured."""

CPYTHON_ONLY = True  # no board has a file to write lines into

SETTINGS = """path text - 1 128
keep int 5 0 99
durable bool true
graphs bool false"""

MEANINGS = {
    "path": "File that gets every result, event and unread frame as a line (Linux only).",
    "keep": "How many full files of 10 MiB stay, as `<path>.1` and so on; older ones are deleted.",
    "durable": (
        "Whether the spool keeps what the outlet has not brought yet; else one that takes nothing misses the oldest."
    ),
    "graphs": "Whether this outlet gets curves and plot parameters as well.",
}


def make(settings, station, index):
    """Make the outlet of these settings (toolcart.agent.linux.outlets); the file itself is opened later."""
    from toolcart.agent.linux.file import FileOutlet

    made = FileOutlet(station.log, index, station.board.lines(settings), station.counters)
    if settings["graphs"] and station.graphs is not None:
        made.take_graphs(station.graphs)
    return made

"""Which category a MID belongs to: the little that is known before any table is read."""

# First MID, last MID, category: a module of this package, or a table of small_categories.py.
INDEX = (
    (1, 9, "session"),
    (10, 25, "parameter_sets"),
    (30, 39, "jobs"),
    (40, 49, "tools"),
    (50, 54, "vin"),
    (60, 67, "tightening"),
    (70, 78, "alarms"),
    (80, 82, "clock"),
    (90, 104, "multispindle"),
    (105, 109, "powermacs"),
    (110, 113, "display"),
    (120, 133, "jobs"),
    (140, 140, "jobs"),
    (150, 157, "identifiers"),
    (200, 225, "io"),
    (240, 245, "plc"),
    (250, 255, "selectors"),
    (260, 265, "tool_tags"),
    (270, 270, "controller"),
    (300, 301, "statistics"),
    (400, 423, "modes"),
    (500, 504, "tuning"),
    (700, 704, "tools"),
    (900, 902, "traces"),
    (1000, 1001, "alarms"),
    (1201, 1203, "results"),
    (1601, 1602, "identifiers"),
    (1900, 1901, "selectors"),
    (2100, 2100, "controller"),
    (2500, 2503, "programs"),
    (2504, 2505, "parameter_sets"),
    (2506, 2506, "programs"),
    (2600, 2606, "modes"),
    (8000, 8003, "controller"),
    (9997, 9999, "link"),
)


def category_of(mid):
    """Return the category of a MID, empty where the specification lists none."""
    for first, last, category in INDEX:
        if first <= mid <= last:
            return category
    return ""


def categories():
    """Return the names of all categories."""
    names = []
    for _, _, category in INDEX:
        if category not in names:
            names.append(category)
    return names

"""Prometheus' text format (0.0.4): what all pages of figures have in common.

Backslash, quote and newline in a label's value are escaped, whatever a controller or a person put in.
"""

from __future__ import annotations

from collections.abc import Mapping

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
GAUGE = "gauge"
COUNTER = "counter"


class Sheet:
    """Samples by family, in the order of the families: name -> (type, help)."""

    def __init__(self, families: Mapping[str, tuple[str, str]]) -> None:
        self._families = families
        self._samples: dict[str, list[str]] = {}

    def add(self, name: str, labels: Mapping[str, object], value: float | int | bool | None) -> None:
        """Add a sample; None, an unknown value, is left out."""
        if value is None:
            return
        pairs = ",".join(f'{key}="{escaped(str(text))}"' for key, text in labels.items())
        self._samples.setdefault(name, []).append(f"{name}{{{pairs}}} {_number(value)}")

    def text(self) -> str:
        """Return all samples with type and help."""
        lines = []
        for name, (kind, help_text) in self._families.items():
            if name in self._samples:
                lines += [f"# HELP {name} {help_text}", f"# TYPE {name} {kind}", *self._samples[name]]
        return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Return a label's value as the format wants it."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float | int | bool) -> str:
    return str(int(value)) if isinstance(value, bool | int) else repr(float(value))

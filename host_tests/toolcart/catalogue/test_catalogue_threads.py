"""A program may use the catalogue in several threads from its first message on, as `toolcart doctor` does."""

import threading

from toolcart.catalogue import (
    registry,
)


def test_a_table_that_is_being_read_is_missing_to_no_thread(monkeypatch):
    catalogue = registry.Catalogue()
    read_table, described = registry.read_table, []

    def read_slowly(table):
        monkeypatch.setattr(registry, "read_table", read_table)
        other = threading.Thread(target=lambda: described.append(catalogue.form(1, 5).known))
        other.start()
        other.join(10)
        return read_table(table)

    monkeypatch.setattr(registry, "read_table", read_slowly)
    assert catalogue.form(1, 5).known
    assert described == [True]

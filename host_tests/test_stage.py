"""The stage knows whose record lies in it and how far it was written."""

from agent.spool.stage import Stage

PORTABLE = True


def test_a_new_stage_is_as_erased_flash():
    stage = Stage(12)
    assert stage.buf == b"\xff" * 12 and stage.used == 0 and stage.fresh is None


def test_use_forgets_whose_record_it_was_and_remembers_the_farthest_end():
    stage = Stage(12)
    for end, used in ((4, 4), (9, 9), (2, 9)):
        stage.fresh = "a ring"
        stage.use(end)
        assert stage.fresh is None and stage.used == used

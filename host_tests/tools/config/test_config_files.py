"""Of which files a configuration consists, and when one of them counts as changed."""

import pytest

from toolcart.tools.config import files
from toolcart.tools.config.file import ConfigurationError
from host_tests.support.running import cart_of, written

SECRET = "geheim-4711"

NAMED = ("cart.json", "secret", "ca.pem", "b.pem")


@pytest.mark.parametrize("name", NAMED)
def test_each_file_that_is_named_counts_by_its_content(cart_files, name):
    read, path = files.Files(cart_files), cart_files.parent / name
    path.touch()
    assert read.changed() == []
    before, state = path.read_text(), read.state()
    path.write_text(before + " ")
    assert read.changed() == [str(path)] and read.state() != state
    path.write_text(before)
    assert read.changed() == [] and read.state() == state
    path.unlink()
    assert read.changed() == [str(path)]


def test_a_secret_counts_as_read_once_it_can_be_used(cart_files):
    secret = cart_files.parent / "secret"
    secret.chmod(0o644)
    read = files.Files(cart_files)
    secret.chmod(0o600)
    assert read.changed() == []
    secret.write_text("another")
    assert read.changed() == [str(secret)]


def test_the_digest_is_of_the_configuration_alone(cart_files):
    read = files.Files(cart_files)
    (cart_files.parent / "secret").write_text("another")
    assert read.digest == files.Files(cart_files).digest and len(read.digest) == 64
    cart_files.write_text("{}")
    assert read.digest != files.Files(cart_files).digest
    assert files.Files(cart_files.parent / "none.json").digest == ""


def test_a_file_that_is_written_while_it_is_read_is_read_again(cart_files, tmp_path, monkeypatch):
    real, count = files.config_file.read_to_run, []

    def reads(path):
        if not count:
            count.append(1)
            written(tmp_path, cart_of(station={"spool": {"path": "b.spool"}}))
            return {"old": True}
        return real(path)

    monkeypatch.setattr(files.config_file, "read_to_run", reads)
    configuration, read = files.read_to_run(cart_files)
    assert configuration["stations"][0]["spool"]["path"] == "b.spool" and read.changed() == []


def test_what_is_no_configuration_has_itself_alone(cart_files):
    for text in ("[]", "{", '{"stations": 7}', '{"stations": [7, {"outlets": [1]}]}'):
        cart_files.write_text(text)
        with pytest.raises(ConfigurationError):
            files.read_to_run(cart_files)


def test_what_is_wrong_with_the_whole_file_is_reported_without_a_place(tmp_path):
    assert files.first_of(files.check(tmp_path / "none.json").all()) == "file not found"
    (tmp_path / "cart.json").write_text('{"station": []}')
    assert files.first_of(files.check(tmp_path / "cart.json").all()).startswith("station: ")

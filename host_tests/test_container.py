"""The container's recipe: small, not root, the spool a volume, watched by `toolcart status`. No engine runs here."""

import json
import re

from tools.cache import CHECKOUT
from tools.cli import main
from tools.config_file import SERVICE_FOLDER, SERVICE_STATE

TEXT = (CHECKOUT / "Containerfile").read_text(encoding="utf-8")
KNOWN = {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD"}
JOINED = re.sub(r"\\\n\s*", "", "\n".join(line for line in TEXT.splitlines() if not line.startswith("#")))
STEPS = [tuple(line.split(" ", 1)) for line in JOINED.splitlines() if line]
LAST = STEPS[max(number for number, step in enumerate(STEPS) if step[0] == "FROM") :]


def the(word, steps=LAST):
    [found] = [rest for name, rest in steps if name == word]
    return found


def test_every_step_is_known_and_nothing_is_fetched_by_hand():
    assert {name for name, _ in STEPS} <= KNOWN
    assert not re.search(r"curl|wget|git clone|--platform|amd64/|arm64", JOINED)


def test_what_is_copied_is_there_and_reaches_the_builder():
    passed = {line[1:] for line in (CHECKOUT / ".containerignore").read_text().splitlines() if line.startswith("!")}
    copied = {name for step, rest in STEPS if step == "COPY" and "--from" not in rest for name in rest.split()[:-1]}
    assert copied == passed and all((CHECKOUT / name).exists() for name in copied)


def test_it_is_not_root_and_may_write_to_the_volume_alone():
    user = the("USER")
    assert user.isdigit() and int(user) > 0
    assert the("VOLUME") == the("WORKDIR") == str(SERVICE_STATE)
    assert any(f"-o {user} -m 0700 {SERVICE_STATE}" in rest for name, rest in LAST if name == "RUN")


def test_what_it_starts_and_asks_are_commands_of_ours():
    assert json.loads(the("ENTRYPOINT")) == ["toolcart"]
    words = json.loads(the("CMD"))
    assert words[0] in main.commands and {"--plain", "--config"} <= set(words)
    assert words[-1] == f"{SERVICE_FOLDER}/config.json"
    asked = json.loads(the("HEALTHCHECK").split("CMD ", 1)[1])
    assert asked == ["toolcart", "status", "--config", words[-1]]


def test_the_second_stage_gets_nothing_but_the_environment():
    assert [rest for name, rest in LAST if name == "COPY"] == ["--from=build /opt/toolcart /opt/toolcart"]

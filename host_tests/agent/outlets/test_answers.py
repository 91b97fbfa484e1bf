"""No answer of the log is thrown away: whatever can refuse is asked, counted or handled wherever it is called.

Rules
1. A function can refuse if one of its returns is a truth value, a negative number or a constant that is one, or hands
   on what another that can refuse has returned. So can a device's read_into, program and erase.
2. Looked at are the functions of the log and of those that write it; their calls are looked for in all of
   agent/.
3. A call is known by its name, by how many arguments it has, and by whether it is a method or a module's function:
   `begin(now)` of a task is not the log's `begin`. A private name is known in its own folder only.
4. A call whose answer is not taken is a statement of its own. Whoever can do nothing about a refusal counts it. What
   remembers itself that it is not done, and is asked again by whoever needs it, is in ASKED_AGAIN with the reason.
"""

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
WRITERS = (
    "log/*.py",
    "quarantine/quarantine.py",
    "outlets/toolsnet/*.py",
    "station/store.py",
    "openprotocol/id_ledger.py",
    "openprotocol/gap_fill.py",
    "openprotocol/recovery.py",
    "openprotocol/recovery_answers.py",
    "openprotocol/push_run.py",
    "openprotocol/id_continuity.py",
    "openprotocol/look_conclusion.py",
    "openprotocol/unanswered_requests.py",
    "openprotocol/deferred_ids.py",
)
TRUTH = {("bool", 1)}
DEVICE = {(".read_into", 3), (".program", 3), (".erase", 1)}
ASKED_AGAIN = {
    "settle": "whatever relies on the last record asks whether it is in doubt",
    "_trust_last": "a step of settle",
    "prepare_append": "a step of settle",
    "begin": "a search and a task begin with as many arguments as what makes a late offer durable",
    "_update_number_limit": "says what it has computed",
    "load": "what is known is loaded by a method of this name and as many arguments as the state is; only that refuses",
    "flush": "what it could not write down stays owed, and is asked for again after a start",
    "fails_for_now": "what a connection had asked for as it ended is asked for again by the next one",
    "_leave": "the oldest needs no gap, so the cursor passes it",
}
ARGUMENTS_MOST = 8  # of a function that takes any number


def trees_of(patterns):
    """Return {path: syntax tree} of these files of agent/."""
    paths = sorted({path for pattern in patterns for path in (ROOT / "toolcart" / "agent").glob(pattern)})
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def negative_constants(trees):
    """Return the names that stand for a negative number: NAME = const(-1)."""
    names = set()
    for tree in trees.values():
        for node in tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and node.value.args:
                if is_negative(node.value.args[0], ()):
                    names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names


def is_negative(node, names):
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return isinstance(node.operand, ast.Constant) and node.operand.value != 0
    return name_of(node) in names


def name_of(node):
    """Return the last part of a name, of an attribute, or of what is called."""
    if isinstance(node, ast.Call):
        return name_of(node.func)
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else None


def keys_of_call(call):
    """Return (name, number of arguments) of what a call may mean: name(), module.name() or .name() of any object."""
    count = len(call.args) + len(call.keywords)
    function = call.func
    if isinstance(function, ast.Attribute):
        keys = {("." + function.attr, count)}
        if isinstance(function.value, ast.Name):
            keys.add((f"{function.value.id}.{function.attr}", count))
        return keys
    return {(function.id, count)} if isinstance(function, ast.Name) else set()


def keys_of(function, module):
    """Return the keys of all calls that can mean this function of a module."""
    arguments = [one.arg for one in function.args.args]
    is_method = arguments[:1] == ["self"]
    least = len(arguments) - is_method - len(function.args.defaults)
    most = least + len(function.args.defaults) + (ARGUMENTS_MOST if function.args.vararg else 0)
    names = ("." + function.name,) if is_method else (function.name, f"{module}.{function.name}")
    return {(name, count) for name in names for count in range(least, most + 1)}


def returns_of(function):
    """Return what the function returns, not what one inside it does."""
    values = []
    waiting = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Return) and node.value is not None:
            values.append(node.value)
        elif not isinstance(node, ast.FunctionDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)
    return values


def assigned_calls(function):
    """Return {name: keys of what was called for it} of what a function sets; TRUTH where it is a truth value."""
    calls = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call | ast.Constant):
            keys = keys_of_call(node.value) if isinstance(node.value, ast.Call) else TRUTH
            if keys is not TRUTH or isinstance(node.value.value, bool):
                for target in node.targets:
                    calls.setdefault(name_of(target), set()).update(keys)
    return calls


def says_no(value, negatives, refusing, local):
    """True if a returned expression can mean that it was not done."""
    if isinstance(value, ast.IfExp):
        return says_no(value.body, negatives, refusing, local) or says_no(value.orelse, negatives, refusing, local)
    if isinstance(value, ast.Constant):
        return isinstance(value.value, bool)
    if isinstance(value, ast.Compare | ast.BoolOp) or is_negative(value, negatives):
        return True
    if isinstance(value, ast.UnaryOp):
        return isinstance(value.op, ast.Not)
    if isinstance(value, ast.Call):
        return bool(keys_of_call(value) & refusing)
    return bool(local.get(name_of(value), set()) & refusing)


def those_that_refuse(trees):
    """Return {folder: keys of all calls that can be refused and are defined there}."""
    negatives = negative_constants(trees)
    functions = [
        (str(Path(path).parent), keys_of(node, Path(path).stem), node)
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
    ]
    refusing = {"": DEVICE | TRUTH}
    grows = True
    while grows:
        grows = False
        for folder, keys, function in functions:
            refusing_here = known_in(folder, refusing)
            local = assigned_calls(function)
            if not keys <= refusing_here and any(
                says_no(value, negatives, refusing_here, local) for value in returns_of(function)
            ):
                refusing.setdefault(folder, set()).update(keys)
                grows = True
    return refusing


def known_in(folder, refusing):
    """Return those of {folder: keys} that a file of this folder can mean."""
    return {key for home, keys in refusing.items() for key in keys if home == folder or not is_private(key[0])}


def is_private(name):
    return name.split(".")[-1].startswith("_")


def thrown_away(tree, refusing):
    """Return (line, name) of each call of one that can refuse that is a statement of its own."""
    return [
        (node.lineno, name_of(node.value))
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Call)
        and keys_of_call(node.value) & refusing
        and name_of(node.value) not in ASKED_AGAIN
    ]


@cache
def refusing():
    return those_that_refuse(trees_of(WRITERS))


def test_no_answer_of_the_log_is_thrown_away():
    trees = trees_of(("**/*.py",))
    thrown = {path: thrown_away(tree, known_in(str(Path(path).parent), refusing())) for path, tree in trees.items()}
    assert len(trees) > 100 and {path: calls for path, calls in thrown.items() if calls} == {}


def test_what_can_refuse_is_known():
    names = {name.split(".")[-1] for keys in refusing().values() for name, _ in keys}
    for name in (
        "append",
        "save",
        "ensure_reliable",
        "finish_replay",
        "carry",
        "program",
        "erase",
        "commit",
        "admit",
        "remove",
        "tidy",
        "put_pushed",
    ):
        assert name in names, name
    assert set(ASKED_AGAIN) <= names
    assert not names & {"advance", "stored", "stand_at"}


@pytest.mark.parametrize(
    "planted",
    (
        "self.state.save()",
        "log.append(KIND_RESULT, 0, 12)",
        "if now:\n    self.state.ensure_reliable()",
        "carry(log, 12)",
        "self.device.erase(block)",
    ),
)
def test_an_answer_that_is_thrown_away_is_found(planted):
    assert len(thrown_away(ast.parse(planted), known_in("agent", refusing()))) == 1


def test_a_new_way_to_refuse_is_found():
    tree = ast.parse("NO_ROOM = const(-4)\ndef one():\n    return NO_ROOM\ndef two():\n    x = one()\n    return x\n")
    assert those_that_refuse({"agent/x.py": tree})["agent"] == {("one", 0), ("x.one", 0), ("two", 0), ("x.two", 0)}

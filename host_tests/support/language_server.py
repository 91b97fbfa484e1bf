"""What an editor offers at the end of a program: pyright's language server is asked over its pipes (LSP 3.17)."""

import json
import subprocess
import sys
import threading
from pathlib import Path

COMMAND = [sys.executable, "-c", "from pyright.langserver import main; main('--stdio')"]
DEADLINE_S = 120


def offered(folder, *programs):
    """Return the set of words offered at the end of each program, as a file in a folder that has the package."""
    with subprocess.Popen(COMMAND, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        deadline = threading.Timer(DEADLINE_S, server.kill)
        deadline.start()
        try:
            root = {"uri": folder.as_uri(), "name": folder.name}
            _ask(server, "initialize", {"processId": None, "capabilities": {}, "workspaceFolders": [root]})
            _send(server, method="initialized", params={})
            return [_offered(server, folder / f"open_{index}.py", text) for index, text in enumerate(programs)]
        finally:
            server.stdin.close()  # which ends it
            server.wait()
            deadline.cancel()


def _offered(server, path: Path, program):
    document = {"uri": path.as_uri(), "languageId": "python", "version": 1, "text": program}
    _send(server, method="textDocument/didOpen", params={"textDocument": document})
    lines = program.split("\n")
    end = {"line": len(lines) - 1, "character": len(lines[-1])}
    answer = _ask(server, "textDocument/completion", {"textDocument": {"uri": path.as_uri()}, "position": end})
    return {one["label"] for one in answer["items"]}


def _ask(server, method, params):
    _send(server, id=method, method=method, params=params)
    while True:
        length = 0
        while line := server.stdout.readline().strip():
            if line.startswith(b"Content-Length: "):
                length = int(line[16:])
        message = json.loads(server.stdout.read(length))  # ValueError if the server has ended
        if message.get("id") == method:
            return message["result"]


def _send(server, **message):
    text = json.dumps({"jsonrpc": "2.0", **message}).encode()
    server.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(text), text))
    server.stdin.flush()

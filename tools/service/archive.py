"""The text of the archive's systemd units: they may touch the database's folder and the network; nothing else.

Rules
1. It runs as a user that systemd makes, or one that is there; SQLite's file and the files that options name lie in
   STATE, which relative names start from.
2. Options and secrets may stand in ENVIRONMENT, for root alone: TOOLCART_ARCHIVE_OPTIONS,
   TOOLCART_ARCHIVE_OPCUA_OPTIONS, TOOLCART_ARCHIVE (the database's URL), TOOLCART_ARCHIVE_PASSWORD.
3. The OPC UA server is a unit of its own, of the same user: SQLite's file is that user's alone.
4. It starts again after every failure: a PostgreSQL that is not there yet is one. A drained server stays ended.
"""

from __future__ import annotations

from dataclasses import dataclass

from tools.service.unit import HARDENED, quoted

NAME = "toolcart-archive"
OPCUA = f"{NAME}-opcua"
UNITS = {"serve": NAME, "opcua": OPCUA}  # by the command of `toolcart archive`
STATE = f"/var/lib/{NAME}"
ENVIRONMENT = "/etc/toolcart/archive.env"
STOP_S = 30  # what stations have sent is committed and answered
FILES = 16384  # tools.archive.server: FILES_WANTED
_SPEAKS = "that speaks ToolsNet's protocol"
MEMORY = "1G"  # server and pages; 10,000 connections took 200 MiB


@dataclass(frozen=True)
class ArchiveService:
    """One installation: the program, and the arguments of `toolcart archive serve` or `opcua`."""

    program: str
    arguments: tuple[str, ...] = ()
    user: str = ""
    wants_environment: bool = False  # True: without ENVIRONMENT it is not started
    command: str = "serve"  # or "opcua"

    def text(self) -> str:
        """The unit file."""
        words = [self.program, "archive", self.command, *self.arguments]
        is_opcua = self.command == "opcua"
        user = self.user or (NAME if is_opcua else "")
        owner = [f"User={user}"] * bool(user) + ([f"Group={user}"] if self.user else ["DynamicUser=yes"])
        options = "$TOOLCART_ARCHIVE_OPCUA_OPTIONS" if is_opcua else "$TOOLCART_ARCHIVE_OPTIONS"
        condition = [f"ConditionPathExists={ENVIRONMENT}"] * self.wants_environment
        lines = [
            "[Unit]",
            f"Description=Toolcart: an archive of tightening results {'by OPC UA' if is_opcua else _SPEAKS}",
            f"After=network.target postgresql.service{f' {NAME}.service' * is_opcua}",
            "StartLimitIntervalSec=0",
            *condition,
            "",
            "[Service]",
            "Type=exec",
            f"ExecStart={' '.join(map(quoted, words))} {options}",
            f"EnvironmentFile=-{ENVIRONMENT}",
            "Restart=on-failure",
            "RestartSec=2",
            f"TimeoutStopSec={STOP_S}",
            f"WorkingDirectory={STATE}",
            *owner,
            f"StateDirectory={NAME}",
            "StateDirectoryMode=0700",
            *HARDENED,
            "SystemCallFilter=~@privileged",  # not @resources: open files are raised, pages are served behind results
            f"LimitNOFILE={FILES}",
            f"MemoryMax={MEMORY}",
            "ProtectClock=yes",
            "CapabilityBoundingSet=",
            "AmbientCapabilities=",
            "PrivateDevices=yes",
            "",
            "[Install]",
            "WantedBy=multi-user.target",
        ]
        return "\n".join(lines) + "\n"

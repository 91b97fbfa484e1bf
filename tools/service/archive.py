"""The text of the archive's systemd units: they may touch the database's folder and the network, nothing else.

Rules
1. It runs as a user that systemd makes, or an existing one; SQLite's file and the files that options name are in STATE,
   where relative names start.
2. Options and secrets may be in ENVIRONMENT, which only root can read: TOOLCART_ARCHIVE_OPTIONS,
   TOOLCART_ARCHIVE_OPCUA_OPTIONS, TOOLCART_ARCHIVE (the database's URL), TOOLCART_ARCHIVE_PASSWORD.
3. The OPC UA server is a unit of its own with the same user: only that user can read SQLite's file.
4. It starts again after every failure, such as a PostgreSQL that is not up yet. A drained server is not started again.
"""

from __future__ import annotations

from dataclasses import dataclass

from tools.service.unit import HARDENED, quoted

NAME = "toolcart-archive"
OPCUA = f"{NAME}-opcua"
UNITS = {"serve": NAME, "opcua": OPCUA}  # by the command of `toolcart archive`
STATE = f"/var/lib/{NAME}"
ENVIRONMENT = "/etc/toolcart/archive.env"
STOP_S = 30  # time to commit and answer what stations have sent
FILES = 16384  # tools.archive.server: FILES_WANTED
_SPEAKS = "that speaks ToolsNet's protocol"
MEMORY = "1G"  # server and pages; 10,000 connections took 200 MiB


@dataclass(frozen=True)
class ArchiveService:
    """One installation: the program, and the arguments of `toolcart archive serve` or `opcua`."""

    program: str
    arguments: tuple[str, ...] = ()
    user: str = ""
    wants_environment: bool = False  # True: it is not started without ENVIRONMENT
    command: str = "serve"  # or "opcua"

    def text(self) -> str:
        """Return the unit file."""
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
            "SystemCallFilter=~@privileged",  # not @resources: it raises its file limit, and pages yield to results
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

"""The text of the archive's systemd unit: it may touch the database's folder and the network, nothing else.

Rules
1. It runs as a user that systemd makes, or an existing one; SQLite's file and the files that options name are in STATE,
   where relative names start.
2. Options and secrets may be in ENVIRONMENT, which only root can read: TOOLCART_ARCHIVE_OPTIONS, TOOLCART_ARCHIVE (the
   database's URL), TOOLCART_ARCHIVE_PASSWORD.
3. It starts again after every failure, such as a PostgreSQL that is not up yet.
"""

from __future__ import annotations

from dataclasses import dataclass

from toolcart.tools.service.unit import HARDENED, quoted

NAME = "toolcart-archive"
STATE = f"/var/lib/{NAME}"
ENVIRONMENT = "/etc/toolcart/archive.env"
STOP_S = 30  # time to commit and answer what stations have sent
FILES = 16384  # toolcart.archive.server.server: FILES_WANTED
MEMORY = "1G"  # server and pages; 10,000 connections took 200 MiB

CONFINED = (
    *HARDENED,
    "SystemCallFilter=~@privileged",  # not @resources: it raises its file limit, and pages yield to results
    "ProtectClock=yes",
    "CapabilityBoundingSet=",
    "AmbientCapabilities=",
    "PrivateDevices=yes",
)


@dataclass(frozen=True)
class ArchiveService:
    """One installation: the program, and the arguments of `toolcart archive serve`."""

    program: str
    arguments: tuple[str, ...] = ()
    user: str = ""
    wants_environment: bool = False  # True: it is not started without ENVIRONMENT

    def text(self) -> str:
        """Return the unit file."""
        arguments = [self.program, "archive", "serve", *self.arguments]
        owner = [f"User={self.user}", f"Group={self.user}"] if self.user else ["DynamicUser=yes"]
        condition = [f"ConditionPathExists={ENVIRONMENT}"] * self.wants_environment
        lines = [
            "[Unit]",
            "Description=Toolcart: an archive of tightening results that speaks ToolsNet's protocol",
            "After=network.target postgresql.service",
            "StartLimitIntervalSec=0",
            *condition,
            "",
            "[Service]",
            "Type=exec",
            f"ExecStart={' '.join(map(quoted, arguments))} $TOOLCART_ARCHIVE_OPTIONS",
            f"EnvironmentFile=-{ENVIRONMENT}",
            "Restart=on-failure",
            "RestartSec=2",
            f"TimeoutStopSec={STOP_S}",
            f"WorkingDirectory={STATE}",
            *owner,
            f"StateDirectory={NAME}",
            "StateDirectoryMode=0700",
            *CONFINED,
            f"LimitNOFILE={FILES}",
            f"MemoryMax={MEMORY}",
            "",
            "[Install]",
            "WantedBy=multi-user.target",
        ]
        return "\n".join(lines) + "\n"

"""The text of the systemd unit: the agent may touch its spool, its configuration and the network, nothing else.

Rules
1. It runs as a user of its own, which systemd makes (DynamicUser) or a package has made; its spool is in
   /var/lib/toolcart (StateDirectory).
2. The watchdog is fed by the agent only while results and deadlines move (toolcart.board.linux.notify).
3. It starts again after every failure, and never gives up: on a cart there is nobody to press a key. A wrong
   configuration is an exception: systemd shows the service as failed, with the words of `toolcart run`. Without a
   spool the agent does not end (toolcart.tools.process.agent).
4. `systemctl reload` fails for what the agent would refuse; else it reads again (toolcart.tools.process.supervisor).
   Debian 12's
   systemd has no Type=notify-reload; the agent says RELOADING=1 and READY=1 all the same.
5. A relative spool path is relative to the configuration file; therefore the service's copy of that is in the state
   directory, readable only by the service, and so are the files with its secrets.
6. The agent always asks whether NTP keeps the clock, so ProtectClock= is left out: it forbids asking too. glibc asks
   with clock_adjtime. Without CAP_SYS_TIME, which only an agent that sets the clock gets, it can do no more than ask.
7. A forbidden system call fails, like opening a file without permission; it does not end the process.
"""

from __future__ import annotations

from dataclasses import dataclass

from toolcart.base.exit_codes import EXIT_CONFIGURATION

NAME = "toolcart"
STATE_FOLDER = "/var/lib/toolcart"
UNIT_FOLDER = "/etc/systemd/system"
WATCHDOG_S = 60
STOP_S = 15  # three for the controllers' answers, the rest for a disk that is slow to sync

HARDENED = (  # the archive's unit has this as well
    "NoNewPrivileges=yes",
    "ProtectSystem=strict",
    "ReadOnlyPaths=/run",  # which strict leaves writable under systemd 252
    "ProtectHome=yes",
    "PrivateTmp=yes",
    "PrivateMounts=yes",
    "ProtectKernelTunables=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelLogs=yes",
    "ProtectControlGroups=yes",
    "ProtectHostname=yes",
    "ProtectProc=invisible",
    "ProcSubset=pid",
    "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "RemoveIPC=yes",
    "LockPersonality=yes",
    "MemoryDenyWriteExecute=yes",
    "SystemCallArchitectures=native",
    "SystemCallErrorNumber=EPERM",
    "SystemCallFilter=@system-service",
    "UMask=0077",
)
SANDBOX = (
    "StateDirectory=toolcart",
    "StateDirectoryMode=0700",
    "RuntimeDirectory=toolcart",  # its status socket (toolcart.tools.config.socket_location)
    "RuntimeDirectoryMode=0700",
    *HARDENED,
    "SystemCallFilter=~@privileged @resources",
    "MemoryMax=128M",
)
ASKS_THE_CLOCK = (
    "SystemCallFilter=adjtimex clock_adjtime clock_adjtime64",
    "CapabilityBoundingSet=",
    "AmbientCapabilities=",
)
SETS_THE_CLOCK = (
    "SystemCallFilter=@clock",
    "CapabilityBoundingSet=CAP_SYS_TIME",
    "AmbientCapabilities=CAP_SYS_TIME",
)


@dataclass(frozen=True)
class Service:
    """One installation: the program, and the serial devices that the configuration names."""

    program: str  # the absolute path of `toolcart`
    devices: tuple[str, ...] = ()
    credentials: tuple[str, ...] = ()  # names that systemd looks up in /etc/credstore
    user: str = ""  # an existing one; else systemd makes one
    config: str = f"{STATE_FOLDER}/config.json"
    sets_clock: bool = False

    def text(self) -> str:
        serial = ["PrivateDevices=yes"]
        if self.devices:
            serial = ["DevicePolicy=closed", *[f"DeviceAllow={quoted(device)} rw" for device in self.devices]]
            serial.append("SupplementaryGroups=dialout")
        command = f"{quoted(self.program)} run --plain --config {self.config}"
        lines = [
            "[Unit]",
            "Description=Toolcart: keeps tightening results and hands them to ToolsNet",
            "After=network.target",
            "StartLimitIntervalSec=0",
            f"ConditionPathExists={self.config}",
            "",
            "[Service]",
            "Type=notify",
            "NotifyAccess=main",
            f"ExecStart={command}",
            f"ExecReload={quoted(self.program)} config check --reload {self.config}",  # its words are why it fails
            "ExecReload=/bin/sh -c 'kill -HUP $MAINPID'",  # a small Debian has no program of that name
            "Restart=always",
            "RestartSec=2",
            f"RestartPreventExitStatus={EXIT_CONFIGURATION}",  # it would be just as wrong in two seconds
            f"WatchdogSec={WATCHDOG_S}",
            f"TimeoutStopSec={STOP_S}",
            f"WorkingDirectory={STATE_FOLDER}",
            *([f"User={self.user}", f"Group={self.user}"] if self.user else ["DynamicUser=yes"]),
            *SANDBOX,
            *(SETS_THE_CLOCK if self.sets_clock else ASKS_THE_CLOCK),
            *serial,
            *[f"LoadCredential={name}" for name in self.credentials],
            "",
            "[Install]",
            "WantedBy=multi-user.target",
        ]
        return "\n".join(lines) + "\n"


def serial_devices(configuration: dict) -> tuple[str, ...]:
    """Return the devices that the completed configuration needs."""
    controllers = [station["controller"] for station in configuration["stations"]]
    return tuple(controller["device"] for controller in controllers if controller["link"] != "tcp")


def sets_clock(configuration: dict) -> bool:
    """True if the completed configuration wants the system's clock set to ToolsNet's."""
    return (configuration["toolsnet"] or {}).get("clock") == "set"


def quoted(text: str) -> str:
    """Quote a word of a unit file: % and $ are systemd's, blanks end a word (systemd.syntax(7), systemd.service(5))."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if " " in text else escaped

"""The families of checks, in the order they run."""

from __future__ import annotations

from conformance.checks.bridges import AcpBridge, McpBridge
from conformance.checks.command_line import CommandLine
from conformance.checks.control_ui import ControlUi
from conformance.checks.node_host import NodeHost
from conformance.checks.our_clients import OurClients
from conformance.checks.scheduler import Scheduler
from conformance.checks.terminal import Terminal
from conformance.family import Family

FAMILIES: tuple[type[Family], ...] = (
    CommandLine,
    Scheduler,
    Terminal,
    AcpBridge,
    McpBridge,
    NodeHost,
    ControlUi,
    OurClients,
)

"""Simulators: a clock, lines with faults, a controller and a ToolsNet, strict about what they are sent."""

"""What is frozen into the Cortex-M3 firmware: the start of a job from the PC, nothing of the agent."""

freeze(".", "launch.py")  # noqa: F821 - the manifest's own words

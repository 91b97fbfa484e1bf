"""What only Linux has: outlets and sources that no chip runs. Elsewhere agent/ imports it only on CPython."""


class Outlet:
    """An outlet (toolcart.agent.outlets) that takes no orders, needs no operator and has nothing outstanding."""

    times = None

    def attach(self, scheduler, slot):
        """No order wakes it."""

    def needs_operator(self):
        return False

    def connect_now(self, now):
        """It has its own pauses, whatever the network does."""

    def begin_shutdown(self, now):
        """There is nothing to end."""

    def may_stop(self, now) -> bool:
        return True

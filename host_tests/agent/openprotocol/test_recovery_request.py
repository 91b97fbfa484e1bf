"""A request for the newest has nothing after it to ask for in its place."""

from toolcart.agent.openprotocol import recovery_request
from toolcart.agent.openprotocol.recovery_request import UNANSWERED_MOST, RecoveryRequest

PORTABLE = True
HEAP = "8m"


def test_the_newest_has_nothing_beside_it():
    request = RecoveryRequest()
    for _ in range(3 * UNANSWERED_MOST):
        assert request.fails(False) and request.state == recovery_request.ITSELF

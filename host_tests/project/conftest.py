"""What tests of installations share: to build a wheel takes seconds."""

import pytest

from tools.packaging import wheel


@pytest.fixture(scope="session")
def built_wheel(tmp_path_factory):
    """The wheel of this checkout as it is published."""
    return wheel.build(tmp_path_factory.mktemp("wheel"))

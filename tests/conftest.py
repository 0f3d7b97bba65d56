"""Settings of the whole suite: how Hypothesis searches, and where emitted modules go."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.browser import browser as browser

# Examples build and run networks on shared machines: no example is timed, and failures are not
# explained by tracing, which under torch takes minutes.
settings.register_profile(
    "default",
    deadline=None,
    max_examples=20,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[phase for phase in Phase if phase is not Phase.explain],
)
settings.register_profile("ci", settings.get_profile("default"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")


def pytest_configure(config: pytest.Config) -> None:
    # Scripting is on its way out of torch; emitted code keeps to what it can read all the same.
    config.addinivalue_line("filterwarnings", "ignore:.*torch.jit.*:DeprecationWarning")
    # A shell that runs the suite in the background has it ignore Ctrl-C, which its programs would
    # inherit; tests that press it would wait in vain.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _suite_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Emitted modules go to a folder of the test run, not to the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DSE_CACHE", str(tmp_path_factory.mktemp("suite-cache")))
        yield


@pytest.fixture(scope="session")
def one_thread() -> Iterator[None]:
    """Small networks run faster on one thread, and beside other work."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)

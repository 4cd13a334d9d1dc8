"""The MicroPython VM for these tests: fetched once into a cache, skipped with the reason where it cannot be had."""

import os

import pytest

from tiltwise_lab.vm.vm_install import VmUnavailableError, micropython_module, node_program


@pytest.fixture(scope="session", autouse=True)
def vm_is_there():
    """Skip without node or MicroPython; in CI that is a failure, or nobody would notice."""
    try:
        node_program()
        micropython_module()
    except VmUnavailableError as problem:
        if os.environ.get("CI") == "true":
            pytest.fail(f"the MicroPython VM is needed in CI: {problem}")
        pytest.skip(str(problem))

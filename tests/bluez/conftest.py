"""Keeps the slow tests out of a usual run: `pytest -m bluez` or `make test-bluez` asks for them."""


def pytest_collection_modifyitems(config, items):
    if "bluez" in (config.option.markexpr or ""):
        return
    mine = [item for item in items if item.get_closest_marker("bluez")]
    if mine:
        config.hook.pytest_deselected(items=mine)
        items[:] = [item for item in items if item not in mine]

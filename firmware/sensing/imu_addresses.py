"""Assigns I2C addresses to sensor numbers, from those that answer now and those that answered together before.

Sensor 0 is the head, sensor 1 the upper back; when one is missing at boot, the other must not take its number.
"""

MOST = 2
_KNOWN = ("imu_a", "imu_b")


def assign(addresses, answering, settings):
    """Return where each sensor is: one address, or a tuple of those where it may turn up."""
    known = [settings.get(key) for key in _KNOWN]
    n = max(min(len(answering), MOST), min(settings.get("imus"), len(addresses)))
    found = [address if address in answering else None for address in known[:n]]
    rest = [address for address in answering if address not in found]
    for k in range(n):
        if found[k] is None and rest:
            found[k] = rest.pop(0)  # a new part, also in place of one that was there before
    return [_sought(addresses, found, known, k) if found[k] is None else found[k] for k in range(n)]


def _sought(addresses, found, known, k):
    """Return where to look for sensor k, which does not answer; no address is looked at by two."""
    free = [address for address in addresses if address not in found]
    if len(found) == MOST and known[k] in free:
        return known[k]
    if found.count(None) == MOST:
        # A pair of the same make sits at neighbouring addresses: one for each.
        return tuple(address for i, address in enumerate(free) if i % MOST == k)
    return tuple(free)


def remember(found, settings):
    """Note the addresses of two sensors that work; OSError from the flash. Nothing is written over a damaged file."""
    if len(found) == MOST and settings.problem is None:
        settings.update((("imus", MOST), (_KNOWN[0], found[0]), (_KNOWN[1], found[1])))

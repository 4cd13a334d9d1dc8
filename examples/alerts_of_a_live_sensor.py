"""Print the alerts of a live sensor: python alerts_of_a_live_sensor.py [ADDRESS]

The address is any of tiltwise's: ble:, serial:PORT, replay:FILE, or by default a simulated wearer. Sit still when it
starts: the first three seconds are the neutral, and alerts go by the inclination from it in any direction.
"""

import asyncio
import sys

import numpy as np

import tiltwise as tw

ADDRESS = "sim:slouch?minutes=3&speed=max"
NEUTRAL_S = (1.0, 4.2)  # device time: the first second goes by while the sensor settles


async def neutral(address: str) -> tw.Mounting:
    """Return how the sensor sits, from the first still seconds of a source."""
    decoder, blocks = tw.Decoder(), []
    async with tw.open_source(address) as source:
        async for chunk in source.chunks():
            blocks += [item for item in decoder.feed(chunk.data) if isinstance(item, tw.OrientationBlock)]
            if blocks and blocks[-1].t_s[-1] >= NEUTRAL_S[1]:
                break
    t_s = np.concatenate([block.t_s for block in blocks])
    part = (t_s >= NEUTRAL_S[0]) & (t_s < NEUTRAL_S[1])
    q = np.concatenate([block.q_earth_from_sensor for block in blocks])[part]
    acc_m_s2 = np.concatenate([block.acc_m_s2 for block in blocks])[part]
    return tw.calibrate(tw.OrientationBlock(t_s[part], q, acc_m_s2), mount=tw.Mount.NECK)


async def main(address: str) -> None:
    profile = tw.TrackerSettings(await neutral(address), rule=tw.RuleSettings(angle_deg=20.0, seconds=60.0))
    async with tw.open_source(address) as source:
        async for update in tw.follow(source, profile=profile):
            for event in update.events:
                if type(event).__name__ == "EpisodeAlert":
                    print(
                        f"{event.t_s:6.1f} s  bent by {event.angle_deg:.0f} deg since {event.start_s:.1f} s"
                    )


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else ADDRESS))

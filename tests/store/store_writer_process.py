"""A writer to be killed: `python store_writer_process.py FOLDER BOOT` stores frames and prints what is settled."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from store.store_frames import T0_S, frame, opened, utc_s
from tiltwise.store.writer import Store
from tiltwise.types import Mount

STEP = 50  # frames a commit: ten seconds, so that every sixth commit also writes chunks


def main(folder: Path, boot: int) -> None:
    """Write until killed."""
    ready = [frame(k, boot=boot) for k in range(2000)]
    with Store(folder) as store:
        session = store.begin_session("b", boot, zone="UTC", mount=Mount.NECK, started_s=T0_S)
        print("ready", len(store.reports), flush=True)
        for first in range(0, len(ready), STEP):
            seqs = range(first, first + STEP)
            store.append(session, opened(ready[first : first + STEP]), [utc_s(k) + 1000 * boot for k in seqs])
            print(store.commit().settled[session], flush=True)
    print("done", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))

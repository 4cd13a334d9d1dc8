"""Defaults of the firmware: rates, ranges, times, sizes."""

POLL_MS = 50  # five samples a burst at 104 Hz: short latency, few bus transactions
POLL_PHASES_MS = (0, 4, 8, 2, 6)  # so that polls see the sample clock at every phase, whatever its rate
RATE_HZ = 104  # or 208, of which pairs are averaged; parts that know 100 and 200 only take those
SAVE_RATE_HZ = 52  # in the modes `save` and `log`; parts that do not know it keep the next rate they know
SAVE_POLL_MS = 300  # the smallest FIFO, an MPU-6500's, lasts 420 ms
SAVE_STEPS_MS = 100  # between two looks at the link
RADIO_ON_MS = 120000  # in `log`, after a start and after a press of the button
GYR_RANGE_DPS = 1000  # a neck turns below 500 deg/s; saturation costs far more than quantisation
ACC_RANGE_G = 4  # what an ORIENT sample can carry
SAMPLES_PER_FRAME = 10  # one frame fits the smallest usual packet (ATT MTU 185)
STATUS_MS = 5000
INFO_MS = 60000
MINUTE_MS = 60000
CREDITS = 64  # frames sent beyond the last acknowledgement: 12.8 s
FRAMES_PER_STEP = 4  # sent in one step: the link's own buffers are small
FAULTS_IN_A_ROW = 3  # bus errors before the sensor counts as lost
RETRY_MS = 500  # between attempts to find a lost sensor
STUCK_MS = 2000  # of samples that are all the same: no live sensor is that quiet
STUCK_LONGEST_MS = 64000  # between attempts to bring a stuck sensor back
STALL_MS = 300  # a sensor without samples for this long is stuck
STEPS_MS = 20  # longest time between two looks at the link; POLL_MS where the processor sleeps between them
LOOK_MS = 100  # between two looks at "up": rule, worn, neutral
HOUSE_MS = 1000  # battery, power, flash, watchdog
SNOOZE_MS = 1800000  # silence after a double press
REBOOT_MS = 300  # so that the answer to the command gets out

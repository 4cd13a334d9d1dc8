"""Days whose figures are known, and how long history, report and cohorts take: `tiltwise bench exposure`."""

"""`tiltwise setup --selftest`: one part of a board after the other, with pass or fail and what to do."""

"""Days of many people become figures of groups; no group of fewer people than the floor is ever shown."""

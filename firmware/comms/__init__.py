"""Frames in, bytes on BLE or USB out; commands of a host in, answers out."""

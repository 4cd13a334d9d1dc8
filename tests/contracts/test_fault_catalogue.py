"""Every fault that a link, a board or a computer can have is held by a test that is named here and is there.

A new kind of fault gets its row here first. A test may hold several rows; a row may need several tests.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent

TRANSPORT = {
    "drop 0-30 %": (
        "live/test_session_faults.py::test_any_share_of_lost_frames_is_fetched_in_the_end",
        "live/test_live_link.py::test_random_disconnects_lose_nothing_within_the_ring",
    ),
    "duplicate": (
        "live/test_live_session.py::test_frames_that_come_twice_change_nothing",
        "store/test_writer.py::test_a_frame_is_stored_once_whatever_is_repeated",
    ),
    "reorder within 50 frames": (
        "live/test_session_faults.py::test_frames_that_change_places_among_fifty_are_stored_once_each",
    ),
    "bit flip": (
        "common/test_wire.py::test_no_damaged_frame_or_command_is_accepted",
        "link/test_supervisor.py::test_frames_on_a_bad_link_all_arrive_in_the_end",
    ),
    "truncate": (
        "live/test_session_faults.py::test_cut_lengthened_and_empty_frames_are_counted_and_never_stored",
    ),
    "oversize": (
        "live/test_session_faults.py::test_cut_lengthened_and_empty_frames_are_counted_and_never_stored",
        "common/test_cobs.py::test_what_does_not_fit_is_dropped_and_counted",
        "firmware/test_link_ble.py::test_write_longer_than_the_buffer_is_survived",
    ),
    "empty": (
        "live/test_session_faults.py::test_cut_lengthened_and_empty_frames_are_counted_and_never_stored",
    ),
    "answers without sense": (
        "live/test_session_faults.py::test_answers_of_any_length_and_content_end_no_session",
    ),
    "late by hours": (
        "live/test_session_faults.py::test_frames_that_come_three_hours_late_stand_at_their_own_time",
        "store/test_writer.py::test_late_backfill_and_two_boots_sort_themselves_out",
    ),
    "two boots interleaved": (
        "live/test_session_faults.py::test_two_boots_whose_frames_alternate_are_both_stored_and_time_grows",
        "decode/test_decoder.py::test_backfill_of_an_earlier_boot_does_not_disturb_the_live_stream",
    ),
    "sequence wrap": (
        "live/test_session_faults.py::test_numbers_that_pass_the_end_of_32_bits_lose_nothing",
        "live/test_session_faults.py::test_the_last_numbers_of_32_bits_are_acknowledged",
        "decode/test_decoder.py::test_sequence_index_and_time_wrap_without_a_trace",
    ),
    "sample-index jump": (
        "live/test_session_faults.py::test_a_jump_of_the_sample_index_is_as_long_as_the_clock_says",
    ),
    "time going back": (
        "decode/test_decoder.py::test_clock_that_goes_back_is_a_gap_and_time_still_grows",
        "decode/test_decoder.py::test_late_read_clock_never_makes_time_go_back",
        "live/test_live_session.py::test_late_and_early_arrivals_never_turn_the_day_back",
    ),
    "tag wrong": (
        "link/test_board_connection.py::test_forged_stale_and_replayed_bytes_are_counted_and_never_pass",
    ),
    "stale session": (
        "link/test_board_connection.py::test_forged_stale_and_replayed_bytes_are_counted_and_never_pass",
        "firmware/test_link_ble.py::test_session_recorded_once_is_worth_nothing_later",
    ),
    "replay": (
        "link/test_board_connection.py::test_forged_stale_and_replayed_bytes_are_counted_and_never_pass",
        "firmware/test_link_ble.py::test_replayed_commands_are_refused_and_counted",
    ),
    "MTU 23/185/247/517": (
        "link/test_supervisor.py::test_any_mtu_carries_everything",
        "radio/test_bleak_backend.py::test_the_stream_has_no_gap_with_any_packet_size",
    ),
    "MTU change mid-connection": (
        "firmware/test_faults.py::test_packets_that_change_size_in_mid_stream_tear_no_frame",
    ),
    "notify before subscribe": (
        "radio/test_lossy_bluetooth.py::test_notifications_before_subscribing_and_twice_are_no_frames",
        "link/test_board_connection.py::test_frames_before_the_proof_are_dropped",
    ),
    "doubled callbacks": (
        "radio/test_lossy_bluetooth.py::test_notifications_before_subscribing_and_twice_are_no_frames",
        "link/test_supervisor.py::test_frames_on_a_bad_link_all_arrive_in_the_end",
    ),
    "CCCD lost": (
        "link/test_supervisor.py::test_data_that_stops_while_the_board_answers_is_subscribed_anew",
    ),
}

LINK = {
    "connect hang": ("link/test_supervisor.py::test_what_hangs_is_given_up_and_tried_anew",),
    "disconnect hang 120 s": (
        "link/test_supervisor.py::test_a_close_that_hangs_two_minutes_does_not_keep_it_from_connecting",
    ),
    "missing disconnect callback": (
        "link/test_supervisor.py::test_a_silent_link_is_left_after_three_seconds",
        "firmware/test_link_ble.py::test_lost_event_of_the_end_is_made_up_for",
    ),
    "silent link": ("link/test_supervisor.py::test_a_silent_link_is_left_after_three_seconds",),
    "disconnect storm": (
        "link/test_supervisor.py::test_a_storm_of_disconnects_loses_nothing_within_the_ring",
    ),
    "adapter off/on": (
        "link/test_supervisor.py::test_trouble_is_said_once_and_over_by_itself",
        "radio/test_bleak_backend.py::test_bluetooth_that_is_off_is_an_error_of_bleak_and_comes_back",
    ),
    "suspend 1 min/8 h": ("link/test_supervisor.py::test_suspend_is_noticed_at_once_and_said",),
    "two hosts at once": (
        "link/test_supervisor.py::test_a_second_host_hears_who_holds_the_board_and_takes_over_on_request_once",
        "firmware/test_link_ble.py::test_second_host_gets_busy_with_the_age_and_may_take_over",
    ),
    "USB unplug mid-frame": (
        "live/test_session_faults.py::test_a_cable_that_is_pulled_in_mid_frame_tears_no_frame_and_loses_none",
        "link/test_serial.py::test_bytes_go_both_ways_and_unplugging_ends_the_stream",
    ),
}

DEVICE = {
    "reboot mid-stream": (
        "radio/test_air_address.py::test_a_board_that_restarts_is_found_at_its_new_address",
        "decode/test_decoder.py::test_restarted_board_goes_on_behind_the_last_sample_with_a_gap",
    ),
    "WDT reset": (
        "firmware/test_life.py::test_watchdog_starves_when_a_loop_stalls",
        "firmware/test_health.py::test_how_the_run_before_ended_decides",
    ),
    "brown-out loop": (
        "firmware/test_faults.py::test_brown_outs_in_a_row_leave_a_board_that_streams_and_forgets_nothing",
        "firmware/test_faults.py::test_power_that_fails_while_the_boot_is_counted_gives_no_number_twice",
        "firmware/test_flash_log.py::test_crash_every_minute_costs_one_record_and_no_erase_each",
    ),
    "ring overflow": (
        "firmware/test_frame_ring.py::test_full_ring_drops_the_oldest_counts_them_and_flags_the_next",
        "live/test_live_link.py::test_an_outage_beyond_the_ring_is_a_gap_of_what_was_lost_and_no_more",
    ),
    "ENOMEM bursts": (
        "firmware/test_link_ble.py::test_full_radio_delays_frames_and_loses_none",
        "firmware/test_link_ble.py::test_interrupt_without_memory_costs_one_command",
    ),
    "flash page torn": (
        "firmware/test_flash_log.py::test_power_cut_at_every_byte_of_the_last_two_writes",
        "firmware/test_flash_log.py::test_any_damaged_byte_costs_one_record_or_one_page",
    ),
    "config file corrupt": (
        "firmware/test_board_settings.py::test_any_single_damaged_byte_gives_defaults_and_a_report",
        "firmware/test_life.py::test_damaged_settings_are_reported_and_replaced_by_defaults",
    ),
    "clock reset": ("decode/test_decoder.py::test_clock_that_goes_back_is_a_gap_and_time_still_grows",),
    "battery 0-100 % and jumpy": (
        "firmware/test_machines.py::test_curve_falls_from_100_to_0_without_a_jump",
        "firmware/test_machines.py::test_discharging_percentage_only_falls_in_spite_of_noise",
        "firmware/test_machines.py::test_impossible_voltage_is_left_out",
    ),
    "sensor stuck": (
        "firmware/test_faults.py::test_a_sensor_that_repeats_itself_for_two_seconds_is_one_gap_until_its_samples_change",
        "offline/test_input_checks.py::test_a_sensor_that_stands_still_for_a_while_is_named",
    ),
    "saturated": (
        "sim/test_simulated_board.py::test_saturation_is_reported_once_a_second",
        "motion/test_orientation.py::test_clipped_gyroscope_is_flagged_and_doubted",
    ),
    "NaN/zero quaternion": (
        "decode/test_decoder.py::test_quaternion_that_is_no_rotation_is_left_out",
        "decode/test_decoder.py::test_info_with_a_scale_that_cannot_be_meant_is_refused_and_counted",
        "motion/test_neck_angles.py::test_samples_without_orientation_give_nan_and_harm_no_others",
    ),
    "norm off by > 1 %": (
        "decode/test_decoder.py::test_quaternion_whose_norm_is_off_by_more_than_one_percent_is_left_out",
    ),
    "axis swap/IMU remount": (
        "offline/test_input_checks.py::test_swapped_axes_are_refused",
        "live/test_placement_monitor.py::test_the_scenario_remount_put_back_differently_is_noticed",
        "motion/test_remount.py::test_another_mount_is_refused",
    ),
    "gyro bias step": (
        "firmware/test_faults.py::test_a_step_of_the_gyroscopes_bias_is_forgotten_within_a_minute",
    ),
    "temperature drift": (
        "firmware/test_faults.py::test_warming_by_twenty_degrees_turns_the_inclination_by_less_than_one",
    ),
    "image without random numbers": (
        "micropython/test_zephyr.py::test_image_without_random_numbers_is_refused_with_what_to_do",
        "setup/test_wizard.py::test_unfit_board_is_refused_with_what_to_do",
    ),
    "heap too small for files, or another firmware in the image": (
        "setup/test_wizard.py::test_unfit_board_is_refused_with_what_to_do",
        "setup/test_wizard.py::test_firmware_in_the_image_is_left_there_and_old_files_of_it_go",
    ),
    "radio that learns no packet size": (
        "micropython/test_zephyr.py::test_it_starts_and_streams_without_a_gap",
    ),
    "wrong or dead part of a new build": (
        "setup/test_selftest.py::test_what_is_wrong_is_found_and_nothing_else",
        "setup/test_selftest.py::test_a_fault_is_said_with_what_came_and_what_to_check",
        "decode/test_decoder.py::test_a_board_that_finds_no_imu_and_so_never_sends_info_tells_its_status_at_once",
    ),
}

HOST = {
    "disk full": (
        "live/test_live_session.py::test_a_full_disk_stops_neither_alerts_nor_stream",
        "store/test_store_crash.py::test_a_full_disk_is_told_once_per_commit_and_recording_resumes",
        "app/test_watch.py::test_a_disk_that_fills_up_stops_no_alert_and_fails_at_the_end",
        "store/test_writer.py::test_little_room_is_told_and_a_full_disk_leaves_the_samples_to_the_board",
        "store/test_writer.py::test_closing_on_a_full_disk_says_what_is_not_stored",
    ),
    "read-only dir": (
        "store/test_store_crash.py::test_a_read_only_folder_can_be_read_and_refuses_a_writer_in_one_line",
        "store/test_store_faults.py::test_alerts_go_on_in_trouble_and_nothing_is_lost_behind_it",
    ),
    "DB locked": (
        "live/test_host_faults.py::"
        "test_a_store_that_is_held_from_the_first_frame_on_is_told_once_and_nothing_is_lost",
        "store/test_writer.py::test_a_locked_database_costs_nothing_but_patience",
        "store/test_store_faults.py::test_alerts_go_on_in_trouble_and_nothing_is_lost_behind_it",
    ),
    "corrupt page": (
        "store/test_store_crash.py::test_a_damaged_page_in_the_raw_file_costs_its_chunks_only",
        "store/test_store_crash.py::test_a_damaged_core_is_set_aside_and_recording_goes_on",
        "store/test_fuzzed_stores.py::test_a_damaged_store_loses_nothing_in_silence",
    ),
    "a fault at every call, also of repair, rebuild and erase": (
        "store/test_faults_at_every_call.py::"
        "test_a_fault_at_a_call_of_each_operation_costs_nothing_that_is_not_told",
        "store/test_faults_at_every_call.py::test_the_check_sees_a_silent_loss",
    ),
    "bad sector in the log": (
        "store/test_receipts.py::test_one_bad_sector_in_the_log_is_told_with_the_frames_that_it_cost",
        "store/test_files_lost_while_recording.py::"
        "test_a_log_overwritten_under_a_running_program_ends_the_acknowledging",
        "store/test_files_lost_while_recording.py::"
        "test_damage_under_a_running_program_is_told_by_its_last_line",
    ),
    "receipts damaged, alone and with the databases": (
        "store/test_receipts.py::test_frames_lost_with_one_file_of_receipts_are_told_by_the_other",
        "store/test_receipts.py::test_both_files_of_receipts_cut_off_with_the_log_leave_a_doubt_that_is_told",
        "store/test_twin_log.py::test_damage_of_one_file_is_made_good_by_the_other",
    ),
    "database deleted, moved or replaced": (
        "store/test_files_lost_while_recording.py::"
        "test_a_database_that_is_no_longer_there_is_noticed_before_the_next_acknowledgement",
        "store/test_files_lost_while_recording.py::"
        "test_a_month_that_is_no_longer_there_is_warned_of_at_the_next_commit_and_at_the_end",
        "store/test_files_lost_while_recording.py::"
        "test_a_log_without_its_database_is_kept_and_both_can_be_brought_back",
        "store/test_receipts.py::test_a_month_replaced_by_an_older_copy_is_told_with_the_frames_between",
        "store/test_crash_of_watch.py::"
        "test_a_database_deleted_under_watch_is_warned_of_and_the_last_line_is_true",
    ),
    "kill -9 at every commit phase": (
        "live/test_host_faults.py::test_kill_9_before_every_statement_of_every_commit_loses_nothing",
        "store/test_store_crash.py::test_kill_9_at_random_points_loses_no_acknowledged_frame",
        "store/test_crash_of_watch.py::test_kill_9_loses_nothing_that_was_acknowledged",
    ),
    "power cut": (
        "store/test_store_faults.py::test_a_power_cut_loses_nothing_that_was_acknowledged",
        "store/test_store_faults.py::test_only_what_was_synced_survives_a_cut",
    ),
    "wall clock +/- 1 h": (
        "app/test_data_days.py::test_a_wall_clock_that_is_set_while_recording_moves_nothing",
        "live/test_clock_watch.py::test_a_clock_that_is_set_is_told_once",
    ),
    "NTP slew": (
        "app/test_data_days.py::test_a_wall_clock_that_is_corrected_slowly_moves_nothing",
        "live/test_clock_watch.py::test_slow_correction_over_a_day_is_told_when_it_is_seen_in_the_minutes",
    ),
    "DST both ways": (
        "app/test_data_days.py::test_the_clocks_change_while_recording",
        "report/test_plots.py::test_on_a_clock_change_the_axis_follows_the_clock",
    ),
    "zone change mid-day": (
        "app/test_data_days.py::test_another_zone_in_the_middle_of_the_day_counts_everything_once",
    ),
    "year end": (
        "app/test_data_days.py::test_midnight_while_recording_divides_the_minutes",
        "app/test_data_days.py::test_the_years_end_makes_two_raw_files_and_both_days_are_read",
        "app/test_data_days.py::test_the_leap_day_is_a_day_between_its_neighbours",
    ),
    "another program asks the running one": (
        "live/test_control.py::test_two_programs_at_once_each_get_their_own_answers",
        "live/test_control.py::test_lines_without_sense_are_refused_and_the_next_is_answered",
        "live/test_control.py::test_what_a_killed_program_left_behind_is_nobody_and_makes_room",
        "app/test_running.py::test_a_running_watch_is_asked_and_one_that_was_killed_is_not",
    ),
    "slow consumer 10 s": ("link/test_supervisor.py::test_a_consumer_that_sleeps_ten_seconds_loses_nothing",),
    "OOM limit": (
        "live/test_host_faults.py::test_a_limit_of_memory_that_is_met_damages_nothing",
        "live/test_host_faults.py::test_a_disk_that_refuses_for_hours_costs_a_stated_amount_of_memory",
    ),
}

USER_DATA = {
    "hostile settings, profiles, keys, headers": (
        "config/test_hostile_files.py::test_settings",
        "config/test_hostile_files.py::test_calibration_profiles",
        "config/test_hostile_files.py::test_keys",
        "config/test_hostile_files.py::test_headers_of_recordings",
    ),
    "hostile device names": (
        "app/test_hostile_names.py::test_a_name_becomes_one_plain_file_name",
        "app/test_hostile_names.py::test_the_console_obeys_nothing_that_it_shows",
        "app/test_hostile_names.py::test_the_name_of_a_device_in_the_store",
        "app/test_hostile_names.py::test_the_name_of_a_board_that_has_a_key",
        "app/test_hostile_names.py::test_what_is_near_may_call_itself_as_it_likes",
        "live/test_live_link.py::test_hostile_device_ids_become_plain_names",
    ),
    "hostile names of people, folders and files": (
        "app/test_hostile_names.py::test_a_persons_name_in_calibrate_and_watch",
        "app/test_hostile_names.py::test_the_folder_of_the_data",
        "offline/test_input_file.py::test_a_hostile_name_never_reaches_the_terminal_as_it_is",
        "report/test_plots.py::test_angles_of_a_recording_are_drawn_with_hostile_names_as_text",
    ),
    "hostile import files": (
        "app/test_hostile_names.py::test_what_a_recording_from_somebody_else_says_about_itself",
        "app/test_hostile_names.py::test_a_recording_from_somebody_else_with_an_unknown_time_zone",
        "offline/test_input_file.py::test_a_foreign_file_is_refused",
        "recording/test_imu_file.py::test_foreign_and_broken_files_are_told_in_one_line",
        "recording/test_tw_file.py::test_damage_in_the_middle_costs_only_the_records_it_hits",
    ),
}

CATALOGUE = TRANSPORT | LINK | DEVICE | HOST | USER_DATA


def named_tests(path: Path) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    """Return the test functions that pytest finds at the top of a file."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name: node for node in body if isinstance(node, kinds) and node.name.startswith("test_")}


@pytest.mark.parametrize("row", CATALOGUE)
def test_the_row_is_held_by_tests_that_are_there(row: str) -> None:
    assert CATALOGUE[row]
    for name in CATALOGUE[row]:
        file, function = name.split("::")
        path = TESTS / file
        assert path.name.startswith("test_"), f"{name}: pytest does not collect this file"
        assert path.is_file(), f"{name}: no such file"
        found = named_tests(path)
        assert function in found, f"{name}: no such test; was it renamed?"
        marks = [ast.unparse(mark) for mark in found[function].decorator_list]
        assert not [mark for mark in marks if "mark.skip(" in mark or mark.endswith("mark.skip")], name


def test_no_row_is_named_twice_and_no_group_is_empty() -> None:
    groups = (TRANSPORT, LINK, DEVICE, HOST, USER_DATA)
    assert len(CATALOGUE) == sum(map(len, groups))
    assert [len(group) for group in groups] == [21, 9, 20, 18, 4], "a row was added or dropped: on purpose?"

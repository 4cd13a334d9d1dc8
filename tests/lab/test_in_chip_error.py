"""What the LSM6DSV16X's own outputs keep of an angle, on the register model."""

from tiltwise_lab.bench.firmware import in_chip_error


def test_formats_alone_cost_less_than_their_last_bit():
    """A half has 11 bits: 2**-12 of 0.26 is 0.004 deg of half an angle; gravity's count is 0.0035 deg."""
    rows = {row.name: row for _, row in in_chip_error.in_chip_rows(range(1, 2), is_perfect=True)}
    print(rows)
    game, gravity, ours = (rows[name] for name in in_chip_error._NAMES)
    assert abs(game.rmse_deg - gravity.rmse_deg) < 0.01  # the same filter behind both
    assert game.worst_deg < 0.2
    assert ours.rmse_deg < 0.1

"""Dark pictures: everything that is written or drawn stands out from the dark page, and nothing light is left."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from tiltwise.report import plot_parts as parts
from tiltwise.report import style
from tiltwise.report.history.plots_exposure import draw_eva
from tiltwise.report.plots import Figure
from tiltwise.report.plots_dark import PAGE, darken


def brightness(colour: object) -> float:
    """Return the relative luminance of WCAG 2, 0 to 1."""
    channels = np.array(to_rgb(colour))  # type: ignore[arg-type]
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def contrast(a: object, b: object) -> float:
    high, low = sorted((brightness(a), brightness(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def drawn() -> Figure:
    """Return a picture with text, lines, a legend, a shaded span, marks, cells and ticks."""
    figure = parts.new_figure()
    upper, lower = figure.subplots(2, 1)
    parts.plain(upper)
    upper.plot([0, 100], [0, 50], color=style.ANGLE, label="angle")
    upper.axvspan(10, 20, facecolor=style.GAP_FACE, edgecolor=style.GAP, hatch="////")
    parts.draw_alerts(upper, [30.0], 1.0)
    parts.draw_limit(upper, 25.0)
    parts.legend(upper)
    figure.text(0.5, 0.97, "black if nobody says otherwise")
    draw_eva(lower, np.arange(49.0).reshape(7, 7))
    return figure


@pytest.fixture
def dark() -> Figure:
    figure = drawn()
    darken(figure)
    figure.canvas.draw()  # ticks that are made only now count too
    return figure


def test_the_page_is_dark_to_its_corners(dark: Figure) -> None:
    pixels = np.asarray(dark.canvas.buffer_rgba())[..., :3]  # type: ignore[attr-defined]
    page = np.array(to_rgb(PAGE)) * 255
    assert np.abs(pixels[[0, 0, -1, -1], [0, -1, 0, -1]] - page).max() < 1
    assert (pixels.min(axis=-1) > 250).mean() < 0.001  # white, of which the light picture is mostly


def test_words_can_be_read(dark: Figure) -> None:
    upper, lower = dark.axes
    cells = set(lower.texts)
    words = [text for text in dark.findobj(Text) if text.get_text() and text not in cells]
    assert len(words) > 20
    assert min(contrast(text.get_color(), PAGE) for text in words) > 7
    mesh = lower.collections[0]
    for text in cells:
        x, y = text.get_position()
        value = float(mesh.get_array()[int(y), int(x)])
        face = mesh.get_cmap()(mesh.norm(value))
        assert contrast(text.get_color(), face) > 3, value
    assert min(contrast(line.get_color(), PAGE) for line in upper.lines) > 3


def test_a_scale_gets_brighter_with_the_share(dark: Figure) -> None:
    colours = dark.axes[1].collections[0].get_cmap()(np.linspace(0, 1, 30))
    assert (np.diff([brightness(each) for each in colours]) > 0).all()


def test_opacity_hatches_and_nothing_at_all_stay() -> None:
    figure = drawn()
    axes = figure.axes[0]
    shade = axes.axvspan(1, 2, facecolor=style.EPISODE, alpha=0.5)
    hollow = axes.add_patch(Rectangle((0, 0), 1, 1, facecolor="none", edgecolor=style.INK))
    darken(figure)
    assert shade.get_facecolor()[3] == 0.5
    assert hollow.get_facecolor()[3] == 0
    assert brightness(hollow.get_edgecolor()[:3]) > 0.5

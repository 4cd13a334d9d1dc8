"""Draw the three places where the sensor is worn, from behind and from the side: pictures/wearing.svg.

Proportions are those of an adult, 0.8 px to the millimetre; the sensor is drawn at its true size.
"""

from __future__ import annotations

from pathlib import Path

OUT = Path(__file__).parent / "pictures/wearing.svg"
PX_PER_MM = 0.8
CASE_MM = (20.8, 34.0, 11.4)  # width, length, depth of the zero-wire case
PANEL = (300, 370)
SKIN, LINE, SHIRT, HAIR = "#f3ddc9", "#5b4a42", "#cfdbe6", "#8a6f5e"
SENSOR, BAND = "#4f9fb5", "#46515c"

PLACES = (
    ("collar", "over the bone at the foot of the neck", "clip over the collar's edge, USB down"),
    ("neck", "in the middle between hair and collar", "band snug, one finger fits under it"),
    ("head", "on the bump at the back of the head", "any headband or cap of 25 mm elastic"),
)


def rounded(x: float, y: float, width: float, height: float, fill: str, radius: float = 3.0) -> str:
    """Return a rounded rectangle around its centre."""
    return (
        f'<rect x="{x - width / 2:.1f}" y="{y - height / 2:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f'rx="{radius}" fill="{fill}" stroke="{LINE}" stroke-width="1.2"/>'
    )


def shape(path: str, fill: str, width: float = 1.8) -> str:
    """Return a filled outline."""
    return f'<path d="{path}" fill="{fill}" stroke="{LINE}" stroke-width="{width}" stroke-linejoin="round"/>'


def text(
    x: float, y: float, words: str, size: int = 13, anchor: str = "middle", weight: str = "normal"
) -> str:
    """Return a line of text."""
    return (
        f'<text x="{x}" y="{y}" font-family="sans-serif" font-size="{size}" font-weight="{weight}" '
        f'text-anchor="{anchor}" fill="#222">{words}</text>'
    )


def from_behind(place: str) -> str:
    """Return a person from behind with the sensor in its place."""
    body = [
        shape(
            "M112 190 Q116 232 96 244 Q48 258 28 292 L28 345 L272 345 L272 292 Q252 258 204 244 Q184 232 188 190 Z",
            SKIN,
        ),
        shape("M28 345 L28 294 Q46 262 98 246 Q150 276 202 246 Q254 262 272 294 L272 345 Z", SHIRT),
        shape("M96 244 Q150 272 204 244 L207 232 Q150 262 93 232 Z", SHIRT),
        f'<ellipse cx="87" cy="122" rx="8" ry="17" fill="{SKIN}" stroke="{LINE}" stroke-width="1.8"/>',
        f'<ellipse cx="213" cy="122" rx="8" ry="17" fill="{SKIN}" stroke="{LINE}" stroke-width="1.8"/>',
        shape(
            "M150 32 C210 32 218 92 210 132 C204 168 188 192 150 196 C112 192 96 168 90 132 C82 92 90 32 150 32 Z",
            SKIN,
        ),
        shape(
            "M150 32 C210 32 218 92 209 132 Q198 172 172 178 Q150 170 128 178 Q102 172 91 132 C82 92 90 32 150 32 Z",
            HAIR,
            1.2,
        ),
    ]
    body += [f'<circle cx="150" cy="{y}" r="1.6" fill="{LINE}"/>' for y in range(200, 248, 9)]
    width, length = CASE_MM[0] * PX_PER_MM, CASE_MM[1] * PX_PER_MM
    spot = {"collar": 264.0, "neck": 214.0, "head": 142.0}[place]
    if place == "neck":
        body.append(shape("M114 206 Q150 214 186 206 L187 225 Q150 235 113 225 Z", BAND, 1.2))
    if place == "head":
        body.append(shape("M90 126 Q150 138 210 126 L207 146 Q150 160 93 146 Z", BAND, 1.2))
    if place == "collar":
        body.append(rounded(150, spot - 1, width + 6, length + 3, BAND, 4))
    body.append(rounded(150, spot, width, length, SENSOR))
    return "\n".join(body)


def from_the_side(place: str) -> str:
    """Return a person from the side, looking to the right."""
    back = (
        "M96 348 Q74 300 92 262 Q108 232 108 206 Q92 182 92 140 C92 74 132 46 172 50 C214 54 228 96 226 126"
    )
    front = "L238 152 Q240 158 230 160 L229 186 Q226 200 200 198 L186 200 Q184 232 196 252 Q236 270 240 348 Z"
    shirt = "M96 348 Q74 300 92 262 L104 240 Q146 262 190 246 L196 254 Q236 272 240 348 Z"
    hair = (
        "M108 206 Q92 182 92 140 C92 74 132 46 172 50 C206 53 222 82 226 100 Q190 84 168 104 Q160 140 150 152"
    )
    body = [
        shape(f"{back} {front}", SKIN),
        shape(shirt, SHIRT),
        shape(f"{hair} Q140 196 108 206 Z", HAIR, 1.2),
    ]
    body.append(shape("M150 134 q-10 2 -9 16 q2 14 12 13 Z", SKIN, 1.4))
    length, depth = CASE_MM[1] * PX_PER_MM, CASE_MM[2] * PX_PER_MM
    x, y, turn = {"collar": (91.0, 256.0, 24.0), "neck": (101.0, 214.0, 8.0), "head": (86.0, 150.0, 0.0)}[
        place
    ]
    if place == "neck":
        body.append(shape("M108 204 Q146 214 185 202 L185 222 Q146 234 106 224 Z", BAND, 1.2))
    if place == "head":
        body.append(shape("M92 140 Q160 122 224 92 L228 110 Q160 142 93 160 Z", BAND, 1.2))
    body.append(f'<g transform="rotate({turn} {x} {y})">{rounded(x, y, depth, length, SENSOR)}</g>')
    return "\n".join(body)


def drawing() -> str:
    """Return the whole drawing: a column for each place, from behind above, from the side below."""
    width, height = PANEL[0] * 3, PANEL[1] * 2 + 60
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for column, (place, where, how) in enumerate(PLACES):
        x = column * PANEL[0]
        parts += [
            f'<g transform="translate({x} 34)">{from_behind(place)}</g>',
            f'<g transform="translate({x} {PANEL[1] + 14})">{from_the_side(place)}</g>',
            text(x + PANEL[0] / 2, 22, place.capitalize(), 16, weight="bold"),
            text(x + PANEL[0] / 2, 42, where, 13),
            text(x + PANEL[0] / 2, height - 18, how, 13),
        ]
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(drawing(), encoding="utf-8")

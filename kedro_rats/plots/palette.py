"""Colours that people with any colour vision tell apart, on light and on dark.

They are of the palette of Okabe and Ito (https://jfly.uni-koeln.de/color/), and have a
contrast of at least 3 to white and to both backgrounds of Kedro-Viz. No colour stands
alone: what differs in colour differs in symbol or line too.
"""

MAIN = "#0072B2"
SECOND = "#D55E00"
NEUTRAL = "#808080"

BAND = "rgba(0,114,178,0.18)"
"""`MAIN`, for the area of a spread."""

GRID = "rgba(128,128,128,0.25)"
"""Lines of a grid. Kedro-Viz sets those of the first panel alone."""

SHADES = "Cividis"
"""Colours of shares: even in lightness, and the same for all colour vision."""

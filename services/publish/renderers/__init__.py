"""What readers get, written from values alone: one module per format.

Nothing here reads a database, a clock or a network: the same values give the same bytes. `Renderer` is the way in.
"""

from services.publish.renderers.list_pages import FRONT_TEASERS, Turn
from services.publish.renderers.renderer import Renderer
from services.publish.renderers.theme import ThemeError

__all__ = ["FRONT_TEASERS", "Renderer", "ThemeError", "Turn"]

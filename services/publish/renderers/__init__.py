"""What readers get, written from values alone: one module per format.

Nothing here reads a database, a clock or a network: the same values give the same bytes. `Renderer` is the way in.
"""

from services.publish.renderers.renderer import Renderer
from services.publish.renderers.theme import ThemeError

__all__ = ["Renderer", "ThemeError"]

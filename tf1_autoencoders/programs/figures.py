"""matplotlib's backend without a display: figures that a program shows become files beside the program.

A blocking `plt.show()` saves all figures and closes them, as a user who closes the windows does. Figures that are shown
without blocking (`plt.ion()`, `plt.pause`) are saved once, at the end of the program.
"""
from __future__ import annotations

import atexit
import os
import sys
from typing import Any

from matplotlib.backend_bases import FigureManagerBase
from matplotlib.backends.backend_agg import FigureCanvasAgg

FOLDER_VARIABLE = "TF1_AUTOENCODERS_FIGURES"  # path of the program without its ending
_saved = 0


class FigureManager(FigureManagerBase):
    """Shows no window."""

    @classmethod
    def pyplot_show(cls, *args: Any, **kwargs: Any) -> None:
        show(*args, **kwargs)


class FigureCanvas(FigureCanvasAgg):
    manager_class = FigureManager  # type: ignore[assignment]


def show(*args: Any, block: Any = None, **kwargs: Any) -> None:
    """Save all open figures, and close them, if the call would have waited for the user."""
    import matplotlib
    if block is None:
        block = not matplotlib.is_interactive()
    if block:
        _save_all()
    else:
        atexit.unregister(_save_all)
        atexit.register(_save_all)


def _save_all() -> None:
    global _saved
    import matplotlib.pyplot as plt
    stem = os.environ.get(FOLDER_VARIABLE, "program")
    for number in plt.get_fignums():
        _saved += 1
        path = f"{stem}_figure_{_saved}.png"
        try:
            plt.figure(number).savefig(path)
            print(f"no display: figure saved in {os.path.relpath(path)}", file=sys.stderr)
        except OSError as error:
            print(f"no display, and {path} cannot be written ({error.strerror}): the figure is lost", file=sys.stderr)
    plt.close("all")

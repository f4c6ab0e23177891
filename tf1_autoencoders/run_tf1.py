"""Run a TensorFlow 1 program, unmodified: python -m tf1_autoencoders.run_tf1 PROGRAM.py [ARG ...]"""
from __future__ import annotations

import os
import runpy
import sys
from typing import Optional, Sequence


def main(argv: Optional[Sequence[str]] = None) -> int:
    arguments = list(sys.argv[1:] if argv is None else argv)
    from tf1_autoencoders.tensorflow1 import imports
    imports.install()
    sys.argv = arguments
    sys.path[0] = os.path.dirname(os.path.abspath(arguments[0]))
    runpy.run_path(arguments[0], run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main())

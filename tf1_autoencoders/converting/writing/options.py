"""The options that `convert` and `export` share: where to write, and how what was written is compared."""
from __future__ import annotations

import argparse

from tf1_autoencoders.utils import cli

SUFFIXES = {"npz": ".npz", "safetensors": ".safetensors", "h5": ".h5", "keras-weights": ".keras",
            "savedmodel": "_savedmodel", "frozen": ".pb", "keras": ".keras", "onnx": ".onnx", "tflite": ".tflite",
            "tflite-int8": "_int8.tflite"}


def add_shared_options(parser: argparse.ArgumentParser, default: str, original: str) -> None:
    """Add --out, --force, --check (or --verify), --no-check (or --no-verify) and --tolerance to a parser.

    Args:
        parser: ArgumentParser.
        default: what --out is by default, for the help.
        original: what is compared with, for the help.
    """
    parser.add_argument("--out", metavar="PATH", help=f"file or folder to write (default: {default})")
    parser.add_argument("--force", action="store_true", help="overwrite what is there (default: refuse)")
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--check", "--verify", action="store_true", default=True, dest="check",
                        help=f"compare what was written with {original} (default)")
    either.add_argument("--no-check", "--no-verify", action="store_false", dest="check", help="do not compare")
    parser.add_argument("--tolerance", type=cli.real_number(highest=1, above=0), metavar="X",
                        help="largest difference relative to the largest output (default: 1e-5; for tflite-int8 what "
                             "rounding to 8 bits may change)")

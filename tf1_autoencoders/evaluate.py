"""`python -m tf1_autoencoders.evaluate --image 13`: a test image through the trained network of section 2."""
from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import Optional, Sequence

from tf1_autoencoders.checkpointing import saver
from tf1_autoencoders.reporting import figures
from tf1_autoencoders.reporting.run_log import TRANSCRIPT
from tf1_autoencoders.sections import section2_horses
from tf1_autoencoders.sections.section2_horses import Reconstruction, reconstruct_image, reconstruction_figure
from tf1_autoencoders.utils import cli
from tf1_autoencoders.utils.errors import UserError
from tf1_autoencoders.utils.files import make_writable_folder
from tf1_autoencoders.utils.paths import PRETRAINED, RESULTS, display_path

__all__ = ["Reconstruction", "reconstruct_image"]

N_TEST = 10000  # images in CIFAR-10's test set


def describe_checkpoint(reconstruction: Reconstruction) -> str:
    """Say in one line which checkpoint was used, and what it was trained on."""
    pretrained = PRETRAINED in reconstruction.checkpoint.resolve().parents
    origin = reconstruction.origin
    trained = (f"preset {origin['preset']}, seed {origin['settings']['seed']}, trained on {origin['data']['kind']} of "
               f"{origin['data']['name']}" if origin else "no settings.json beside it, read with the preset report")
    return f"checkpoint: {'the one that comes with the project' if pretrained else 'a run of your own'}, {trained}"


def evaluate(args: argparse.Namespace) -> None:
    """Restore the checkpoint, reconstruct the image, print the report's lines, draw the figure.

    Raises:
        UserError: see reconstruct_image; or the folder for the figure cannot be written to, or is a run's own.
    """
    if args.checkpoint:
        saver.checkpoint_path_from_argument(args.checkpoint)  # a missing checkpoint is found before the data is read
    folder = Path(args.results_dir)
    if (folder / TRANSCRIPT).exists():
        raise UserError(f"--results-dir {display_path(folder)}: the folder holds the results of a run, which another "
                        "command must not change; choose another folder")
    make_writable_folder(folder)
    cli.status("loading TensorFlow and the images")
    data, source = section2_horses.load(None, ("test",), data=args.data, data_dir=args.data_dir)
    test_x, _ = data["test"]
    settings = section2_horses.PRESETS[args.preset] if args.preset else None
    reconstruction = reconstruct_image(test_x, args.image, checkpoint_path=args.checkpoint, settings=settings,
                                       is_sample=source.is_sample)
    mark = reconstruction.mark
    print(f"data: {source}", describe_checkpoint(reconstruction),
          f"INFO:tensorflow:Restoring parameters from {display_path(reconstruction.checkpoint)}", "Model restored.",
          reconstruction.reconstructed.shape,
          f"MSE of image {args.image}: {reconstruction.mse:.1f} squared grey levels{mark}", sep="\n")
    figure = reconstruction_figure(reconstruction, args.image)
    path = figures.save(figure, folder, f"image_{args.image}" + re.sub(r"\W+", "_", mark).rstrip("_"), mark)
    print(f"figure: {display_path(path)}")


def main(argv: Optional[Sequence[str]] = None) -> int:
    parser = cli.Parser(
        prog="python -m tf1_autoencoders.evaluate",
        description="Reconstruct one CIFAR-10 test image with the trained network of section 2 "
                    "and draw it beside the original.")
    in_test_set = cli.whole_number(0, N_TEST - 1, f"the CIFAR-10 test set has images 0 to {N_TEST - 1}")
    parser.add_argument("--image", type=in_test_set, default=section2_horses.TEST_IMAGE, metavar="N",
                        help=f"number of the test image, 0 to {N_TEST - 1} (default: 13, the report's)")
    parser.add_argument("--checkpoint", metavar="PATH",
                        help="checkpoint, or its folder (default: checkpoints/section2/model.ckpt, a run of your own, "
                             "or the checkpoint that comes with the project: the first that was trained on images of "
                             "the same kind, real or drawn)")
    parser.add_argument("--preset", choices=tuple(section2_horses.PRESETS),
                        help="the network of a checkpoint without settings.json beside it (default: report)")
    cli.add_option(parser, "--results-dir", former="--out", default=str(RESULTS / "evaluate"), metavar="DIR",
                   type=cli.folder_name,
                   help="folder for the figure (default: results/evaluate)")
    cli.add_data_arguments(parser)
    return cli.run_command(parser, evaluate, argv)


if __name__ == "__main__":
    sys.exit(main())

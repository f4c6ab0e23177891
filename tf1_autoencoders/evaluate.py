"""`python -m tf1_autoencoders.evaluate`: an image, a picture of one's own or a sequence through a trained network."""
from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any, Dict, Iterable, Optional, Sequence

from tf1_autoencoders.reporting import figures
from tf1_autoencoders.reporting.run_log import TRANSCRIPT
from tf1_autoencoders.sections import SECTIONS, one_section
from tf1_autoencoders.sections.contract import Section
from tf1_autoencoders.sections.evaluation import Asked, evaluate_all
from tf1_autoencoders.sections.section1_reconstruction import encode_image
from tf1_autoencoders.sections.section2_horses import Reconstruction, reconstruct_image
from tf1_autoencoders.sections.section3_denoising import denoise_image
from tf1_autoencoders.sections.section4_sequences import predict_sequences
from tf1_autoencoders.sections.trained import choose_trained, final_error_of_collapsed
from tf1_autoencoders.utils import cli
from tf1_autoencoders.utils.errors import UsageError, UserError
from tf1_autoencoders.utils.files import make_writable_folder
from tf1_autoencoders.utils.paths import PRETRAINED, RESULTS, display_path

__all__ = ["Reconstruction", "denoise_image", "encode_image", "predict_sequences", "reconstruct_image"]

N_TEST = 10000  # images in the test sets of CIFAR-10 and Fashion-MNIST


def describe_checkpoint(checkpoint: Path, origin: Dict[str, Any]) -> str:
    """Return a line that says which checkpoint was used, and what it was trained on."""
    pretrained = PRETRAINED in checkpoint.resolve().parents
    trained = (f"preset {origin['preset']}, seed {origin['settings']['seed']}, trained on {origin['data']['name']} "
               f"({origin['data']['kind']})" if origin else "no settings.json beside it, read with the preset report")
    return f"checkpoint: {'the one that comes with the project' if pretrained else 'a run of your own'}, {trained}"


def own_options(section: Section, args: argparse.Namespace) -> Dict[str, Any]:
    """Return the values of the options that not every section has, {name: value}, without those of images.

    Raises:
        UsageError: the section has no such option, or options contradict each other.
    """
    with_images = {number for number, other in SECTIONS.items() if other.test_images is not None}
    sections_of = {"image": with_images, "file": with_images}
    for number, other in SECTIONS.items():
        for option in other.evaluate_options:
            sections_of.setdefault(option.setting, set()).add(number)
    for name, numbers in sections_of.items():
        value = getattr(args, name)
        if value is not None and section.number not in numbers:
            shown = " ".join(map(str, value)) if isinstance(value, list) else value
            raise UsageError(f"--{name.replace('_', '-')} {shown}: section {section.number} has no such option; "
                             f"it is for {_sections(numbers)}")
    if (args.file is not None) + (args.image is not None) + args.all > 1:
        raise UsageError("--image, --file and --all: give one of them")
    if args.all and section.test_images is None:
        raise UsageError(f"--all: for {_sections(with_images)}; section {section.number} has no test images")
    return {option.setting: getattr(args, option.setting) for option in section.evaluate_options}


def _sections(numbers: Iterable[int]) -> str:
    *others, last = map(str, sorted(numbers))
    return f"sections {', '.join(others)} and {last}" if others else f"section {last}"


def evaluate(args: argparse.Namespace) -> None:
    """Restore the checkpoint, run the network, print the lines, draw the figure.

    Raises:
        UserError: see the sections' functions; or the folder for the figure cannot be written to, or is a run's own.
        UsageError: see own_options.
    """
    section = SECTIONS[int(args.section)]
    options = own_options(section, args)
    if args.checkpoint:
        choose_trained(section, args.checkpoint)  # a wrong checkpoint is found before the data is read
    folder = Path(args.results_dir)
    if (folder / TRANSCRIPT).exists():
        raise UserError(f"--results-dir {display_path(folder)}: the folder holds the results of a run, which another "
                        "command must not change; choose another folder")
    make_writable_folder(folder)
    cli.status("loading TensorFlow and the data")
    settings = cli.choose_from(section.presets, args.preset, "--preset") if args.preset else None
    asked = Asked(args.image, args.file, {"data": args.data, "data_dir": args.data_dir}, args.checkpoint, settings)
    result = evaluate_all(section, asked, **options) if args.all else section.evaluate(asked, **options)
    path = None if result.figure is None else figures.save(
        result.figure, folder, result.name + re.sub(r"\W+", "_", result.mark).rstrip("_"), result.mark)
    if args.json:
        print(json.dumps({"section": int(args.section), **result.values, "checkpoint": str(result.checkpoint),
                          "mark": result.mark.strip(" ()"),
                          "collapsed": final_error_of_collapsed(result.checkpoint) is not None,
                          "figure": None if path is None else str(path)}))
        return
    data = [line for line in result.lines if line.startswith("data: ")]
    print(*data, describe_checkpoint(result.checkpoint, result.origin),
          *(line for line in result.lines if line not in data), sep="\n")
    if path is not None:
        print(f"figure: {display_path(path)}")


def main(argv: Optional[Sequence[str]] = None) -> int:
    parser = cli.Parser(
        prog="python -m tf1_autoencoders.evaluate",
        description="Put one test image, a picture of your own or a sequence through a trained network of the report:\n"
                    "section 1 encodes and decodes an image, section 2 reconstructs an image in grey, section 3 adds "
                    "noise\nand removes the noise, section 4 answers a sequence.")
    parser.add_argument("--section", type=one_section, default="2", metavar="N",
                        help=f"section of the report, one of {', '.join(map(str, SECTIONS))} (default: 2)")
    in_test_set = cli.whole_number(
        0, N_TEST - 1, f"the test sets of CIFAR-10 and Fashion-MNIST have images 0 to {N_TEST - 1}")
    parser.add_argument("--image", type=in_test_set, metavar="N",
                        help=f"number of the test image, 0 to {N_TEST - 1} (default: 13, the report's)")
    parser.add_argument("--file", metavar="PICTURE", type=cli.path_name,
                        help="a PNG or JPEG file in place of a test image; cut, resized and turned grey as the data is")
    parser.add_argument("--all", action="store_true",
                        help="all test images: mean and spread of the MSE, the best and the worst ten as a figure")
    for section in SECTIONS.values():
        for option in section.evaluate_options:
            option.add_to(parser)
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    parser.add_argument("--checkpoint", metavar="PATH", type=cli.path_name,
                        help="checkpoint, or its folder (default: checkpoints/sectionN/model.ckpt, a run of your own, "
                             "or the checkpoint that comes with the project: the first that was trained on data of "
                             "the same kind, real or drawn)")
    parser.add_argument("--preset", metavar="NAME",
                        help="the network of a checkpoint without settings.json beside it (default: report)")
    parser.add_argument("--results-dir", default=str(RESULTS / "evaluate"), metavar="DIR", type=cli.path_name,
                        help="folder for the figure (default: results/evaluate)")
    cli.add_data_arguments(parser)
    return cli.run_command(parser, evaluate, argv)


if __name__ == "__main__":
    sys.exit(main())

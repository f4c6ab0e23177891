"""`python -m tf1_autoencoders.evaluate`: an image, a picture of one's own or a sequence through a trained network."""
from __future__ import annotations

import argparse
import dataclasses
import json
import re
import sys
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

import numpy as np

from tf1_autoencoders.checkpointing import saver
from tf1_autoencoders.reporting import baselines, figures, metrics
from tf1_autoencoders.reporting.run_log import TRANSCRIPT
from tf1_autoencoders.sections import SECTIONS, section2_horses, section3_denoising
from tf1_autoencoders.sections.section1_reconstruction import encode_image
from tf1_autoencoders.sections.section2_horses import Reconstruction, reconstruct_image, reconstruction_figure
from tf1_autoencoders.sections.section3_denoising import NOISE_STRENGTHS, NOISES, denoise_image
from tf1_autoencoders.sections.section4_sequences import format_example, predict_sequences
from tf1_autoencoders.sections.trained import further_pretrained, images_to_evaluate, open_trained
from tf1_autoencoders.utils import cli
from tf1_autoencoders.utils.errors import UsageError, UserError
from tf1_autoencoders.utils.files import make_writable_folder
from tf1_autoencoders.utils.paths import PRETRAINED, RESULTS, display_path

__all__ = ["Reconstruction", "denoise_image", "encode_image", "predict_sequences", "reconstruct_image"]

N_TEST = 10000  # images in the test sets of CIFAR-10 and Fashion-MNIST
EXAMPLE = (14, 19, 20, 38, 27, 39)  # the report's first sequence


@dataclasses.dataclass
class Result:
    """What one evaluation shows."""

    values: Dict[str, Any]  # for --json
    lines: List[str]
    checkpoint: Path
    origin: Dict[str, Any]
    mark: str = ""
    figure: Any = None
    name: str = ""  # of the figure's file


def describe_checkpoint(checkpoint: Path, origin: Dict[str, Any]) -> str:
    """Say in one line which checkpoint was used, and what it was trained on."""
    pretrained = PRETRAINED in checkpoint.resolve().parents
    trained = (f"preset {origin['preset']}, seed {origin['settings']['seed']}, trained on {origin['data']['name']} "
               f"({origin['data']['kind']})" if origin else "no settings.json beside it, read with the preset report")
    return f"checkpoint: {'the one that comes with the project' if pretrained else 'a run of your own'}, {trained}"


def images_of(args: argparse.Namespace) -> Tuple[np.ndarray, int, bool, str, str, str]:
    """Return (grey levels [n, pixels], row, whether drawn, source, name of the image, name of its file)."""
    rows, is_sample, source = images_to_evaluate(SECTIONS[int(args.section)], args.file, data=args.data,
                                                 data_dir=args.data_dir)
    if args.file:
        return rows, 0, is_sample, source, Path(args.file).name, re.sub(r"\W+", "_", Path(args.file).stem) or "picture"
    number = section2_horses.TEST_IMAGE if args.image is None else args.image
    return rows, number, is_sample, source, f"test image {number}", f"image_{number}"


def evaluate_1(args: argparse.Namespace, options: Dict[str, Any]) -> Result:
    rows, number, is_sample, source, shown, name = images_of(args)
    result = encode_image(rows, number, is_sample=is_sample, **options)
    trained, mse = result.trained, metrics.mean_squared_error(result.real, result.reconstructed)
    return Result({"image": shown, "code": result.code[0].tolist(), "mse": mse},
                  [f"data: {source}", f"code of {shown}: {' '.join(f'{x:.3f}' for x in result.code[0])}",
                   f"MSE of {shown}: {mse:.4f}{trained.mark}"], trained.checkpoint, trained.origin, trained.mark,
                  figures.images([result.real, result.reconstructed], [shown, "reconstructed"], f"MSE {mse:.4f}", 1),
                  f"section1_{name}")


def evaluate_2(args: argparse.Namespace, options: Dict[str, Any]) -> Result:
    rows, number, is_sample, source, shown, name = images_of(args)
    result = reconstruct_image(rows, number, is_sample=is_sample, **options)
    label = shown if args.file else f"image {number}"
    figure = reconstruction_figure(result, number) if not args.file else figures.images(
        [result.real, result.reconstructed], [shown, "reconstructed"], f"MSE {result.mse:.1f} squared grey levels")
    return Result({"image": shown, "mse": result.mse}, [
        f"data: {source}", f"INFO:tensorflow:Restoring parameters from {display_path(result.checkpoint)}",
        "Model restored.", str(result.reconstructed.shape),
        f"MSE of {label}: {result.mse:.1f} squared grey levels{result.mark}"],
        result.checkpoint, result.origin, result.mark, figure, name)


def evaluate_3(args: argparse.Namespace, options: Dict[str, Any]) -> Result:
    rows, number, is_sample, source, shown, name = images_of(args)
    results: Dict[str, Any] = {}
    for network in networks_of_section_3(options):
        result = denoise_image(rows, number, is_sample=is_sample, noise=args.noise, strength=args.noise_strength,
                               **network)
        results.setdefault(section3_denoising.describe_network(result.trained.settings), result)
    first = next(iter(results.values()))
    trained, marks = first.trained, {network: result.trained.mark for network, result in results.items()}
    images = {"noisy": first.noisy, **{network: result.denoised for network, result in results.items()}}
    values = {label: quality(image, first.clean) for label, image in images.items()}
    lines = [f"{label}: {format_quality(value)}{marks.get(label, trained.mark)}" for label, value in values.items()]
    notes = [f"{label}\n{format_quality(value)}" for label, value in values.items()]
    noisy, *denoised = values.values()
    return Result({"image": shown, "noise": args.noise, "noisy": noisy, "denoised": denoised[0],
                   "networks": dict(zip(results, denoised))},
                  [f"data: {source}", f"noise: {args.noise}", *lines],
                  trained.checkpoint, trained.origin, trained.mark,
                  figures.images([first.clean, *images.values()], [shown, args.noise, *["denoised"] * len(results)],
                                 highest=1, notes=["", *notes]),
                  f"section3_{name}_{args.noise}")


def networks_of_section_3(options: Dict[str, Any]) -> List[Dict[str, Any]]:
    """Return the options of each network to show: the chosen one, or the default and the longer trained ones."""
    if any(value is not None for value in options.values()):
        return [options]
    return [options] + [{"checkpoint_path": path} for path in further_pretrained(section3_denoising)]


def outputs_of_further_networks(options: Dict[str, Any], is_sample: bool, noisy: np.ndarray,
                                clean: np.ndarray) -> Dict[str, Tuple[np.ndarray, str]]:
    """Return {network: (denoised images, mark)} of the networks that are shown beside the default of section 3."""
    results = {}
    for network in networks_of_section_3(options)[1:]:
        with open_trained(section3_denoising, is_sample=is_sample, **network) as (trainer, trained):
            results[section3_denoising.describe_network(trained.settings)] = trainer.predict(noisy, clean), trained.mark
    return results


def quality(images: np.ndarray, clean: np.ndarray) -> Dict[str, float]:
    """Return {measure: mean over images} of images [n, height, width, 1] in 0..1 against clean ones."""
    return {"psnr": metrics.peak_signal_to_noise_ratio(images, clean),
            "ssim": metrics.structural_similarity(images, clean)}


def format_quality(values: Dict[str, float]) -> str:
    return f"PSNR {values['psnr']:.1f} dB, SSIM {values['ssim']:.3f}"


def evaluate_4(args: argparse.Namespace, options: Dict[str, Any]) -> Result:
    result = predict_sequences([args.sequence or EXAMPLE], **options)
    line = format_example(result.sequences[0], result.targets[0], result.predicted[0])
    return Result({"sequence": result.sequences[0].tolist(), "target": result.targets[0].tolist(),
                   "predicted": result.predicted[0].tolist()}, [line], result.trained.checkpoint, result.trained.origin)


EVALUATIONS: Dict[str, Callable[[argparse.Namespace, Dict[str, Any]], Result]] = {
    "1": evaluate_1, "2": evaluate_2, "3": evaluate_3, "4": evaluate_4}
# option: the sections that have it
SECTIONS_OF = {"image": "123", "file": "123", "noise": "3", "noise_strength": "3", "sequence": "4"}


def evaluate_all(args: argparse.Namespace, options: Dict[str, Any]) -> Result:
    """Put every test image through the network; show the mean, the spread, and the best and the worst ten."""
    rows, _, is_sample, source, _, _ = images_of(args)
    section, highest = SECTIONS[int(args.section)], 255 if args.section == "2" else 1
    inputs = targets = rows if args.section == "2" else rows / np.float32(255)
    if args.section == "3":
        side = section3_denoising.PRESETS["report"].side
        targets = targets.reshape(-1, side, side, 1)
        inputs = section3_denoising.add_noise(targets, args.noise, args.noise_strength, np.random.default_rng(0))
    with open_trained(section, is_sample=is_sample, **options) as (trainer, trained):
        outputs = trainer.predict(*((inputs, targets) if args.section == "3" else (inputs,)))
    errors = np.square(outputs - targets, dtype=np.float64).reshape(len(targets), -1).mean(axis=1)
    order = np.argsort(errors)
    shown = {"best": order[:10], "worst": order[::-1][:10]}
    pictures = {f"{which},\n{kind}": images[which_rows] for which, which_rows in shown.items()
                for kind, images in (("input", inputs), ("output", outputs))}
    values = {"n": len(errors), "mse_mean": float(errors.mean()), "mse_std": float(errors.std()),
              "mse_lowest": float(errors.min()), "mse_highest": float(errors.max()),
              **{which: numbers.tolist() for which, numbers in shown.items()}}
    lines = [f"data: {source}", f"MSE of {len(errors)} test images: {errors.mean():.4g} ± {errors.std():.4g}, "
             f"{errors.min():.4g} to {errors.max():.4g}{trained.mark}"]
    for which, numbers in shown.items():
        lines.append(f"{which} ten: {' '.join(map(str, numbers))}")
    if args.section == "3":
        values.update(noise=args.noise, quality={})
        own = section3_denoising.describe_network(trained.settings)
        further = outputs_of_further_networks(options, is_sample, inputs, targets)
        further.pop(own, None)  # a run of one's own stands in place of a shipped network of this name
        for label, (images, mark) in {
                "noisy": (inputs, trained.mark), "median 3x3": (baselines.median_filter(inputs), trained.mark),
                own: (outputs, trained.mark), **further}.items():
            values["quality"][label] = quality(images, targets)
            lines.append(f"{args.noise}, {label}: {format_quality(values['quality'][label])}{mark}")
    return Result(values, lines, trained.checkpoint, trained.origin, trained.mark,
                  figures.grid(pictures, "The ten test images with the lowest and the highest MSE", highest=highest),
                  f"section{args.section}_all")


def evaluate(args: argparse.Namespace) -> None:
    """Restore the checkpoint, run the network, print the lines, draw the figure.

    Raises:
        UserError: see the sections' functions; or the folder for the figure cannot be written to, or is a run's own.
        UsageError: the section has no such option.
    """
    for name, sections in SECTIONS_OF.items():
        value = getattr(args, name)
        if value is not None and args.section not in sections:
            shown = " ".join(map(str, value)) if isinstance(value, list) else value
            *others, last = list(sections)
            where = f"sections {', '.join(others)} and {last}" if others else f"section {last}"
            raise UsageError(f"--{name.replace('_', '-')} {shown}: section {args.section} has no such option; "
                             f"it is for {where}")
    if (args.file is not None) + (args.image is not None) + args.all > 1:
        raise UsageError("--image, --file and --all: give one of them")
    if args.all and args.section == "4":
        raise UsageError("--all: for sections 1, 2 and 3; a run of section 4 prints its accuracy over unseen sequences")
    args.noise = args.noise or "salt-and-pepper"
    if args.checkpoint:
        saver.checkpoint_path_from_argument(args.checkpoint)  # a missing checkpoint is found before the data is read
    folder = Path(args.results_dir)
    if (folder / TRANSCRIPT).exists():
        raise UserError(f"--results-dir {display_path(folder)}: the folder holds the results of a run, which another "
                        "command must not change; choose another folder")
    make_writable_folder(folder)
    cli.status("loading TensorFlow and the data")
    section = SECTIONS[int(args.section)]
    settings = cli.choose_from(section.PRESETS, args.preset, "--preset") if args.preset else None
    evaluate_one = evaluate_all if args.all else EVALUATIONS[args.section]
    result = evaluate_one(args, {"checkpoint_path": args.checkpoint, "settings": settings})
    path = None if result.figure is None else figures.save(
        result.figure, folder, result.name + re.sub(r"\W+", "_", result.mark).rstrip("_"), result.mark)
    if args.json:
        print(json.dumps({"section": int(args.section), **result.values, "checkpoint": str(result.checkpoint),
                          "mark": result.mark.strip(" ()"), "figure": None if path is None else str(path)}))
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
    parser.add_argument("--section", choices=tuple(EVALUATIONS), default="2", help="section (default: 2)")
    in_test_set = cli.whole_number(
        0, N_TEST - 1, f"the test sets of CIFAR-10 and Fashion-MNIST have images 0 to {N_TEST - 1}")
    parser.add_argument("--image", type=in_test_set, metavar="N",
                        help=f"number of the test image, 0 to {N_TEST - 1} (default: 13, the report's)")
    parser.add_argument("--file", metavar="PICTURE", type=cli.path_name,
                        help="a PNG or JPEG file in place of a test image; cut, resized and turned grey as the data is")
    parser.add_argument("--all", action="store_true",
                        help="all test images: mean and spread of the MSE, the best and the worst ten as a figure")
    parser.add_argument("--noise", choices=tuple(NOISES), help="noise of section 3 (default: salt-and-pepper)")
    parser.add_argument("--noise-strength", type=cli.real_number(highest=1000), metavar="X",
                        help="its strength (defaults: "
                             + ", ".join(f"{noise} {x}" for noise, x in NOISE_STRENGTHS.items()) + ")")
    parser.add_argument("--sequence", type=int, nargs="+", metavar="N",
                        help=f"six numbers from 1 to 50 (default: {' '.join(map(str, EXAMPLE))}, the report's first)")
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    parser.add_argument("--checkpoint", metavar="PATH", type=cli.path_name,
                        help="checkpoint, or its folder (default: checkpoints/sectionN/model.ckpt, a run of your own, "
                             "or the checkpoint that comes with the project: the first that was trained on data of "
                             "the same kind, real or drawn)")
    parser.add_argument("--preset", metavar="NAME",
                        help="the network of a checkpoint without settings.json beside it (default: report)")
    cli.add_option(parser, "--results-dir", former="--out", default=str(RESULTS / "evaluate"), metavar="DIR",
                   type=cli.path_name,
                   help="folder for the figure (default: results/evaluate)")
    cli.add_data_arguments(parser)
    return cli.run_command(parser, evaluate, argv)


if __name__ == "__main__":
    sys.exit(main())

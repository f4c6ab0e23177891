"""`python -m tf1_autoencoders.play --out FILE`: a page in which trained networks run without installing anything."""
from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence

from tf1_autoencoders.checkpointing import saver
from tf1_autoencoders.checkpointing.store import SETTINGS
from tf1_autoencoders.keras_twin.script_layers import Weights, script_layers
from tf1_autoencoders.keras_twin.weights import keras_weights, set_keras_weights
from tf1_autoencoders.reporting import published
from tf1_autoencoders.reporting.live_panels import LivePanels, live_panels, play_page
from tf1_autoencoders.reporting.run_log import TRANSCRIPT
from tf1_autoencoders.sections import SECTIONS
from tf1_autoencoders.sections.section1_reconstruction import example_images, keras_halves
from tf1_autoencoders.sections.section3_denoising import NOISE_STRENGTHS, describe_network
from tf1_autoencoders.sections.section4_sequences import build_keras_models
from tf1_autoencoders.sections.trained import further_pretrained, settings_of_checkpoint, trained_on_sample
from tf1_autoencoders.utils import cli
from tf1_autoencoders.utils.errors import UserError
from tf1_autoencoders.utils.files import check_not_shipped, read_json, write_atomically
from tf1_autoencoders.utils.frameworks import NeedsKeras3
from tf1_autoencoders.utils.paths import PRETRAINED, display_path

SECTION_OF = {"denoise": SECTIONS[3], "sequence": SECTIONS[4], "codes": SECTIONS[1]}  # panel: its section
SHIPPED = {"denoise": [PRETRAINED / "section3" / saver.CHECKPOINT_NAME, *further_pretrained(SECTIONS[3])],
           "sequence": [PRETRAINED / "section4" / saver.CHECKPOINT_NAME],
           "codes": [PRETRAINED / "section1_map" / saver.CHECKPOINT_NAME]}


def fits(panel: str, settings: Any) -> bool:
    """Return whether a network fits a panel: images of 28 x 28 pixels, and for the map a code of two numbers.

    The code of section 1's network in the report has ten numbers, and its weights 36 MB.
    """
    if panel == "codes":
        return (settings.n_input, settings.n_latent) == (784, 2)
    return panel == "sequence" or settings.side == 28


def restore(twin: Any, path: Path) -> Any:
    """Set the weights of a Keras twin from a checkpoint; return the twin.

    Raises:
        UserError: see checkpointing.saver.read_arrays.
    """
    shapes = {name: list(array.shape) for name, array in keras_weights(twin).items()}
    set_keras_weights(twin, saver.read_arrays(path, shapes))
    return twin


def models_of_panel(panel: str, settings: Any, path: Path) -> Dict[str, Any]:
    """Return the functions of a panel's network, {name: Keras model}, with the weights of a checkpoint.

    Raises:
        UserError: see restore.
    """
    if panel == "sequence":
        autoencoder, encoder, decoder = build_keras_models(settings)
        restore(autoencoder, path)
        return {"encode": encoder, "decode_step": decoder}
    twin = restore(SECTION_OF[panel].build_keras(settings), path)
    return dict(zip(("encode", "decode"), keras_halves(twin))) if panel == "codes" else {"denoise": twin}


def network_of_panel(panel: str, path: Path, weights: Weights) -> Dict[str, Any]:
    """Return a panel's network as JSON can hold it.

    Args:
        panel: key of SECTION_OF.
        path: the checkpoint, without suffix.
        weights: Weights, to which the network's are added.

    Returns:
        {"functions": {name: see script_layers}, "drawn": whether it was trained on the drawn sample}; and its "label"
        for the panel denoise, its sizes for the panel sequence.

    Raises:
        UserError: the checkpoint is damaged.
    """
    settings, origin = settings_of_checkpoint(SECTION_OF[panel], path)
    functions = {name: script_layers(model, weights) for name, model in models_of_panel(panel, settings, path).items()}
    more = {"denoise": lambda: {"label": describe_network(settings)}, "codes": dict,
            "sequence": lambda: {name: getattr(settings, name) for name in ("n_in", "n_out", "cardinality")}}[panel]()
    return {"functions": functions, "drawn": trained_on_sample(origin), **more}


def panels_of_checkpoints(checkpoints: Mapping[str, Sequence[Path]]) -> LivePanels:
    """Return the panels of some checkpoints, {panel: paths without suffix}, as a page takes them.

    Raises:
        UserError: see network_of_panel.
    """
    weights = Weights()
    networks = {panel: [network_of_panel(panel, path, weights) for path in paths]
                for panel, paths in checkpoints.items()}
    noises = [{"name": name, "strength": strength} for name, strength in NOISE_STRENGTHS.items()]
    return live_panels(networks, weights.joined(), example_images(data="sample"), noises=noises,
                       examples=[sequence for sequence, _ in published.EXAMPLES])


def own_checkpoints(folder: Path) -> Dict[str, List[Path]]:
    """Return the newest checkpoints {panel: [path]} of the runs in a folder of checkpoints, if they fit the panels.

    Raises:
        UserError: a run's checkpoints are damaged.
    """
    found = {}
    for panel, section in SECTION_OF.items():
        own = folder / f"section{section.number}"
        if own.is_dir():
            path = saver.newest_good_checkpoint([own])
            if fits(panel, settings_of_checkpoint(section, path)[0]):
                found[panel] = [path]
    return found


def panels_of_runs(results_dir: Path, checkpoint_dir: Path) -> Optional[LivePanels]:
    """Return the panels of the runs that a results page shows, with their own weights.

    A checkpoint belongs to a run if both have the same identity, in settings.json.

    Returns:
        None if no panel shows one of these runs, or if TensorFlow brings no Keras 3, in which the networks are read.
    """
    own = {}
    try:
        for panel, section in SECTION_OF.items():
            results, checkpoints = (folder / f"section{section.number}" for folder in (results_dir, checkpoint_dir))
            if (results / TRANSCRIPT).exists() and checkpoints.is_dir():
                path = saver.newest_good_checkpoint([checkpoints])
                settings, origin = settings_of_checkpoint(section, path)
                if fits(panel, settings) and origin == read_json(results / SETTINGS):
                    own[panel] = [path]
        return panels_of_checkpoints(own) if own else None
    except NeedsKeras3:
        return None
    except (UserError, OSError, ValueError) as error:  # the page without panels is worth more than none
        cli.warn(f"the results page has no live panels: {error}")
        return None


def play(args: argparse.Namespace) -> None:
    """Write the page.

    Raises:
        UserError: the page cannot be written there, or --checkpoint-dir has no run that a panel shows.
    """
    target = Path(args.out)
    check_not_shipped(target.parent)
    if target.is_dir() or (target.parent / TRANSCRIPT).exists():
        kind = "this is a folder" if target.is_dir() else "its folder holds the results of a run"
        raise UserError(f"--out {display_path(target)}: {kind}; expected the name of a file elsewhere, such as "
                        "play.html")
    cli.status("loading Keras and the checkpoints")
    own = {} if args.checkpoint_dir is None else own_checkpoints(Path(args.checkpoint_dir))
    if args.checkpoint_dir is not None and not own:
        raise UserError(f"--checkpoint-dir {display_path(args.checkpoint_dir)}: no run of section 3 or 4 there, nor "
                        "one of section 1 with --preset map; train one with `python run_all.py --section 3`")
    checkpoints = {**SHIPPED, **own}
    content = play_page(panels_of_checkpoints(checkpoints)).encode()
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(target, content)
    for panel, paths in checkpoints.items():
        print(f"{panel}: {', '.join(display_path(path) for path in paths)}")
    print(f"page: {display_path(target)}   {len(content) / 1e6:.2f} MB")


def main(argv: Optional[Sequence[str]] = None) -> int:
    parser = cli.Parser(
        prog="python -m tf1_autoencoders.play",
        description="Write one HTML file in which the trained networks run in the browser: noise removed from an "
                    "image,\nsequences answered number by number, and a map of codes. The page loads nothing, so that "
                    "it needs no server.")
    parser.add_argument("--out", default="play.html", metavar="FILE", type=cli.path_name,
                        help="the page to write (default: play.html)")
    parser.add_argument("--checkpoint-dir", metavar="DIR", type=cli.path_name,
                        help="folder of your own runs, as run_all's --checkpoint-dir; a section without a run there "
                             "has the networks that come with the project (default: these networks only)")
    return cli.run_command(parser, play, argv)


if __name__ == "__main__":
    sys.exit(main())

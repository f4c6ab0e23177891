"""`python -m tf1_autoencoders.evaluate --image 13`: a test picture through the trained network of section 2."""
from __future__ import annotations

import sys
from typing import Any, NamedTuple

import numpy as np

from tf1_autoencoders.checkpointing import saver
from tf1_autoencoders.reporting import figures
from tf1_autoencoders.reporting.metrics import mean_squared_error
from tf1_autoencoders.sections import section2_horses
from tf1_autoencoders.training import trainers
from tf1_autoencoders.training.session import Session
from tf1_autoencoders.utils import cli
from tf1_autoencoders.utils.errors import UserError
from tf1_autoencoders.utils.paths import CHECKPOINTS, PRETRAINED, RESULTS, shown

N_TEST = 10000  # pictures in CIFAR-10's test set


class Reconstruction(NamedTuple):
    """What reconstruct_image computed.

    | field         | type            | meaning                                                           |
    |---------------|-----------------|-------------------------------------------------------------------|
    | real          | float32[1, 1024] | the picture, grey levels 0..255                                  |
    | reconstructed | float32[1, 1024] | what the network makes of it, not clipped                        |
    | mse           | float           | between the two, in squared grey levels                           |
    | checkpoint    | Path            | the one restored, without suffix                                  |
    | origin        | dict            | its settings.json: settings, data, versions; {} where it has none |
    """

    real: Any
    reconstructed: Any
    mse: float
    checkpoint: Any
    origin: dict


def reconstruct_image(df, image_number, *, checkpoint_path=None, settings=None):
    """Encode and decode one picture with a trained model.ckpt, in a graph and a session of its own.

    Args:
        df: array or pandas DataFrame [n, 1024], a picture a row, grey levels 0..255.
        image_number: the row.
        checkpoint_path: a checkpoint or the folder of one; None: that of the last run here
            (checkpoints/section2/model.ckpt), else the one that comes with the repository.
        settings: section2_horses.Settings of the checkpoint; None: those saved beside it, else the report's.

    Returns:
        Reconstruction.

    Raises:
        UserError: df is not such rows or the number not one of them; no checkpoint, a damaged one or one of another
            architecture.
    """
    if checkpoint_path is None:
        path = saver.find([folder / "section2" for folder in (CHECKPOINTS, PRETRAINED)])
    else:
        path = saver.named(checkpoint_path)
    stored, origin = saver.read_settings(path, section2_horses.Settings)
    settings = settings or stored or section2_horses.Settings()
    picture = _row(df, image_number, settings.n_input)

    model = section2_horses.build_graph(section2_horses.resolve(settings, settings.batch_size))
    with Session(model) as session:
        saver.restore(session, model.weights_saver, model.weights, path)
        reconstructed = trainers.GraphTrainer(session, model, (picture,), 1).predict(picture)
    return Reconstruction(picture, reconstructed, mean_squared_error(picture, reconstructed), path, origin)


def _row(df, image_number, n_input):
    """Row `image_number` of df as float32[1, n_input]; UserError where df or the number is not as it must be."""
    try:
        rows = np.asarray(df, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise UserError(f"df: expected rows of {n_input} numbers ({error}); convert it to an array first") from error
    if rows.ndim != 2 or rows.shape[1] != n_input or not len(rows):
        raise UserError(f"df has shape {rows.shape}: expected one or more rows of {n_input} grey levels; "
                        f"reshape it to (-1, {n_input})")
    if isinstance(image_number, bool) or not isinstance(image_number, (int, np.integer)) \
            or not 0 <= image_number < len(rows):
        raise UserError(f"image_number {image_number!r}: df has the rows 0 to {len(rows) - 1}; choose one of them")
    finite = np.isfinite(rows).all(axis=1)
    if not finite.all():
        raise UserError(f"df has a value in row {int(np.argmin(finite))} that is not finite: expected grey levels "
                        "0 to 255; fill or drop such rows")
    picture = rows[image_number:image_number + 1]
    if picture.min() < 0 or picture.max() > 255:
        raise UserError(f"df has values from {picture.min():g} to {picture.max():g} in row {image_number}: "
                        "expected grey levels 0 to 255; scale them back")
    return picture


def figure_of(reconstruction, image_number):
    """The picture, real and reconstructed, side by side."""
    return figures.pictures([reconstruction.real, reconstruction.reconstructed],
                            [f"test image {image_number}", "reconstructed"],
                            f"MSE {reconstruction.mse:.1f} squared grey levels")


def describe_origin(reconstruction):
    """One line: which checkpoint was used, and what it was trained on."""
    pretrained = PRETRAINED in reconstruction.checkpoint.resolve().parents
    origin = reconstruction.origin
    trained = (f"preset {origin['preset']}, seed {origin['settings']['seed']}, trained on {origin['data']['kind']} of "
               f"{origin['data']['name']}" if origin else "no settings beside it, taken for the preset report")
    return f"checkpoint: {'the one that comes with the repository' if pretrained else 'a run of your own'}, {trained}"


def main(argv=None):
    parser = cli.Parser(
        prog="python -m tf1_autoencoders.evaluate",
        description="Reconstruct one CIFAR-10 test picture with the trained network of section 2 "
                    "and draw it beside the real one.")
    in_test_set = cli.whole_number(0, N_TEST - 1, f"the CIFAR-10 test set has images 0 to {N_TEST - 1}")
    parser.add_argument("--image", type=in_test_set, default=section2_horses.TEST_IMAGE, metavar="N",
                        help=f"number of the test picture, 0 to {N_TEST - 1} (default: 13, the report's)")
    parser.add_argument("--checkpoint", metavar="PATH",
                        help="checkpoint, or the folder of one (default: checkpoints/section2/model.ckpt, a run of "
                             "your own; without one, checkpoints/pretrained/section2/model.ckpt)")
    parser.add_argument("--preset", choices=section2_horses.PRESETS,
                        help="the network that the checkpoint holds (default: what settings.json beside it says, "
                             "else report)")
    parser.add_argument("--out", default=str(RESULTS / "section2"), metavar="DIR",
                        help="folder for the picture (default: results/section2)")
    cli.add_data_arguments(parser)
    return cli.run_command(parser, evaluate, argv)


def evaluate(args):
    """The command: restore, reconstruct, print the report's lines, draw."""
    data, source = section2_horses.load(None, ("test",), data=args.data, data_dir=args.data_dir)
    test_x, _ = data["test"]
    settings = section2_horses.PRESETS[args.preset] if args.preset else None
    made = reconstruct_image(test_x, args.image, checkpoint_path=args.checkpoint, settings=settings)
    print(f"data: {source}", describe_origin(made),
          f"INFO:tensorflow:Restoring parameters from {shown(made.checkpoint)}", "Model restored.",
          made.reconstructed.shape, f"MSE of image {args.image}: {made.mse:.1f} squared grey levels"
          f"{' (drawn sample)' if source.is_sample else ''}", sep="\n")
    path = figures.save(figure_of(made, args.image), args.out, f"image_{args.image}", source)
    print(f"picture: {shown(path)}")


if __name__ == "__main__":
    sys.exit(main())

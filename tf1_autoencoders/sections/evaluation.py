"""What `evaluate` asks of a section, and what it answers: an image, a picture of the user's own, or all test images."""
from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional

import numpy as np

from tf1_autoencoders.datasets.picture_file import read_picture
from tf1_autoencoders.reporting import figures
from tf1_autoencoders.sections.contract import Section
from tf1_autoencoders.sections.trained import open_trained
from tf1_autoencoders.utils.errors import printable

TEST_IMAGE = 13  # the test image that the report reconstructs


class Asked(NamedTuple):
    """What a user asks of a section's trained network.

    | field           | meaning                                                                        |
    |-----------------|--------------------------------------------------------------------------------|
    | image           | number of a test image; None for TEST_IMAGE                                    |
    | file            | a picture file in place of a test image, or None                               |
    | data_options    | the arguments data and data_dir of the section's test_images                   |
    | checkpoint_path | the checkpoint, or None for trained.choose_checkpoint                          |
    | settings        | settings of a checkpoint without settings.json beside it, or None              |
    """

    image: Optional[int] = None
    file: Optional[str] = None
    data_options: Dict[str, Any] = {}
    checkpoint_path: Optional[str] = None
    settings: Any = None

    @property
    def network(self) -> Dict[str, Any]:
        """The arguments of trained.open_trained that say which network is asked."""
        return {"checkpoint_path": self.checkpoint_path, "settings": self.settings}


@dataclasses.dataclass
class Answer:
    """What one evaluation shows."""

    values: Dict[str, Any]  # for --json
    lines: List[str]
    checkpoint: Path
    origin: Dict[str, Any]
    mark: str = ""
    figure: Any = None
    name: str = ""  # of the figure's file


class Images(NamedTuple):
    """The images of which one is asked for.

    | field     | meaning                                                            |
    |-----------|--------------------------------------------------------------------|
    | rows      | grey levels 0..255 [n, pixels]                                     |
    | number    | the row that is asked for                                          |
    | is_sample | whether the images are of the drawn sample                         |
    | source    | where they come from, for people                                   |
    | shown     | name of the image, for people                                      |
    | file_name | name of the image, for the name of a file                          |
    """

    rows: np.ndarray
    number: int
    is_sample: bool
    source: str
    shown: str
    file_name: str


def images_asked_for(section: Section, asked: Asked) -> Images:
    """Return a picture file as the only image, or the section's test images.

    Raises:
        UserError: see datasets.picture_file.read_picture and the section's test_images.
    """
    if asked.file is not None:
        rows, done = read_picture(asked.file, **section.picture)
        path = Path(asked.file)
        return Images(rows, 0, False, done, printable(path.name), re.sub(r"\W+", "_", path.stem) or "picture")
    assert section.test_images is not None, "evaluate asks for images only where there are some"
    rows, source = section.test_images(**asked.data_options)
    number = TEST_IMAGE if asked.image is None else asked.image
    return Images(rows, number, source.is_sample, str(source), f"test image {number}", f"image_{number}")


def evaluate_all(section: Section, asked: Asked, **options: Any) -> Answer:
    """Put every test image through the network; show the mean, the spread, and the best and the worst ten."""
    images = images_asked_for(section, asked)
    arrays = section.evaluation_arrays(images.rows, **options)
    with open_trained(section, is_sample=images.is_sample, **asked.network) as (trainer, trained):
        outputs = trainer.predict(*arrays)
    inputs, targets = arrays[0], arrays[-1]
    errors = np.square(outputs - targets, dtype=np.float64).reshape(len(targets), -1).mean(axis=1)
    order = np.argsort(errors)
    shown = {"best": order[:10], "worst": order[::-1][:10]}
    pictures = {f"{which},\n{kind}": of_kind[rows] for which, rows in shown.items()
                for kind, of_kind in (("input", inputs), ("output", outputs))}
    values = {"n": len(errors), "mse_mean": float(errors.mean()), "mse_std": float(errors.std()),
              "mse_lowest": float(errors.min()), "mse_highest": float(errors.max()),
              **{which: rows.tolist() for which, rows in shown.items()}}
    lines = [f"data: {images.source}", f"MSE of {len(errors)} test images: {errors.mean():.4g} ± {errors.std():.4g}, "
             f"{errors.min():.4g} to {errors.max():.4g}{trained.mark}"]
    for which, rows in shown.items():
        lines.append(f"{which} ten: {' '.join(map(str, rows))}")
    if section.further_evaluation is not None:
        more, more_lines = section.further_evaluation(asked, images.is_sample, trained, arrays, outputs, **options)
        values.update(more)
        lines.extend(more_lines)
    return Answer(values, lines, trained.checkpoint, trained.origin, trained.mark,
                  figures.grid(pictures, "The ten test images with the lowest and the highest MSE",
                               highest=section.highest), f"section{section.number}_all")

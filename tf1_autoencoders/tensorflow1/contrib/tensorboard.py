"""tf.contrib.tensorboard of TensorFlow 1.15: `plugins.projector`, which tells TensorBoard about embeddings.

Written from the behaviour of 1.15.5: `visualize_embeddings` writes projector_config.pbtxt into the folder of a summary
writer, as the text of a ProjectorConfig message.
"""
from __future__ import annotations

import json
import os
import types

CONFIG_NAME = "projector_config.pbtxt"


class _Message:
    """A message with single and repeated fields, written as the text of a protocol buffer."""

    def __init__(self, **values) -> None:
        self.__dict__.update(values)

    def text(self, indent: str = "") -> str:
        lines = []
        for name, value in self.__dict__.items():
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, _Message):
                    inner = item.text(indent + "  ")
                    lines += [f"{indent}{name} {{", inner, f"{indent}}}"] if inner else []
                elif item not in ("", None):
                    lines.append(f"{indent}{name}: {json.dumps(item, ensure_ascii=False)}")
        return "\n".join(lines)


class SpriteMetadata(_Message):
    """Pictures of the points, in one image: image_path, single_image_dim [width, height]."""

    def __init__(self, image_path="", single_image_dim=()) -> None:
        super().__init__(image_path=image_path, single_image_dim=list(single_image_dim))


class EmbeddingInfo(_Message):
    """An embedding: tensor_name, metadata_path, bookmarks_path, tensor_shape, tensor_path, sprite."""

    def __init__(self, tensor_name="", metadata_path="", bookmarks_path="", tensor_shape=(), tensor_path="",
                 sprite=None) -> None:
        super().__init__(tensor_name=tensor_name, metadata_path=metadata_path, bookmarks_path=bookmarks_path,
                         tensor_shape=list(tensor_shape), tensor_path=tensor_path, sprite=sprite or SpriteMetadata())


class _Embeddings(list):
    """A repeated field: `add()` appends a message and returns it."""

    def add(self, **values):
        self.append(EmbeddingInfo(**values))
        return self[-1]


class ProjectorConfig(_Message):
    """What the projector shows: model_checkpoint_path, embeddings, model_checkpoint_dir."""

    def __init__(self, model_checkpoint_path="", embeddings=(), model_checkpoint_dir="") -> None:
        super().__init__(model_checkpoint_path=model_checkpoint_path, embeddings=_Embeddings(embeddings),
                         model_checkpoint_dir=model_checkpoint_dir)


def visualize_embeddings(summary_writer, config) -> None:
    """Write a ProjectorConfig into the folder of a tf.summary.FileWriter.

    Raises:
        ValueError: the writer has no folder.
    """
    folder = summary_writer.get_logdir()
    if not folder:
        raise ValueError("Summary writer must have a logdir")
    folder = folder.decode() if isinstance(folder, bytes) else folder
    with open(os.path.join(folder, CONFIG_NAME), "w", encoding="utf-8") as file:
        file.write(config.text() + "\n")


projector = types.ModuleType(f"{__name__}.plugins.projector")
projector.__dict__.update(ProjectorConfig=ProjectorConfig, EmbeddingInfo=EmbeddingInfo, SpriteMetadata=SpriteMetadata,
                          visualize_embeddings=visualize_embeddings)
plugins = types.ModuleType(f"{__name__}.plugins")
plugins.__dict__.update(projector=projector)

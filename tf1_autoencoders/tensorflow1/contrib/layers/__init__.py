"""tf.contrib.layers of TensorFlow 1.15: layers as functions, initializers, regularizers, summaries, optimize_loss.

Source of every function: tf.contrib.layers of TensorFlow 1.15.5; the papers stand in the docstrings. A layer is called
with a tensor and returns a tensor. These arguments mean the same everywhere and are not explained again:

| argument | default | meaning |
|---|---|---|
| inputs | | tensor float[batch, ..., channels]; images float[batch, height, width, channels] |
| num_outputs | | int, channels of the output |
| activation_fn | tf.nn.relu | function of the output; None for none |
| normalizer_fn, normalizer_params | None | function used instead of adding biases, and its arguments |
| weights_initializer | xavier_initializer() | initial weights |
| biases_initializer | zeros | initial biases; None for no biases |
| weights_regularizer, biases_regularizer | None | functions of a variable whose values join REGULARIZATION_LOSSES |
| reuse | None | whether the layer's variables exist already; needs `scope` |
| variables_collections | None | collections of all variables, or {"weights": [...], "biases": [...]} |
| outputs_collections | None | collections of the output |
| trainable | True | whether the variables join TRAINABLE_VARIABLES |
| scope | None | name of the layer; None for the default name, made unique |

Variables join GLOBAL_VARIABLES and MODEL_VARIABLES under 1.15's names: `<scope>/weights`, `<scope>/biases`.
"""
from __future__ import annotations

from tf1_autoencoders.tensorflow1 import contrib as _contrib
from tf1_autoencoders.tensorflow1.contrib.layers.common import *  # noqa: F401, F403
from tf1_autoencoders.tensorflow1.contrib.layers.convolutions import *  # noqa: F401, F403
from tf1_autoencoders.tensorflow1.contrib.layers.convolutions import (
          convolution1d,
          convolution2d,
          convolution2d_in_plane,
          convolution2d_transpose,
          convolution3d,
          convolution3d_transpose,
          separable_convolution2d,
)
from tf1_autoencoders.tensorflow1.contrib.layers.dense import *  # noqa: F401, F403
from tf1_autoencoders.tensorflow1.contrib.layers.embeddings import *  # noqa: F401, F403
from tf1_autoencoders.tensorflow1.contrib.layers.initial_values import *  # noqa: F401, F403
from tf1_autoencoders.tensorflow1.contrib.layers.normalizers import *  # noqa: F401, F403
from tf1_autoencoders.tensorflow1.contrib.layers.penalties import *  # noqa: F401, F403
from tf1_autoencoders.tensorflow1.contrib.layers.pooling import *  # noqa: F401, F403
from tf1_autoencoders.tensorflow1.contrib.layers.summary import *  # noqa: F401, F403
from tf1_autoencoders.tensorflow1.contrib.layers.training import *  # noqa: F401, F403
from tf1_autoencoders.tensorflow1.contrib.layers.transformations import *  # noqa: F401, F403

conv1d, conv2d, conv3d = convolution1d, convolution2d, convolution3d
conv2d_transpose, conv3d_transpose = convolution2d_transpose, convolution3d_transpose
conv2d_in_plane, separable_conv2d = convolution2d_in_plane, separable_convolution2d

_INNER = ("layers", "initializers", "regularizers", "optimizers", "utils", "summaries", "embedding_ops", "encoders",
          "normalization", "ops")
_COLUMNS = "its feature columns fed contrib.learn's estimators; tf.feature_column has the same columns for tf.keras"
_REFUSED = dict.fromkeys((
    "bucketized_column", "check_feature_columns", "create_feature_spec_for_parsing", "crossed_column",
    "embedding_column", "infer_real_valued_columns", "input_from_feature_columns", "one_hot_column",
    "joint_weighted_sum_from_feature_columns", "make_place_holder_tensors_for_base_features", "multi_class_target",
    "parse_feature_columns_from_examples", "parse_feature_columns_from_sequence_examples", "real_valued_column",
    "regression_target", "scattered_embedding_column", "sequence_input_from_feature_columns", "feature_column",
    "shared_embedding_columns", "sparse_column_with_hash_bucket", "sparse_column_with_integerized_feature",
    "sparse_column_with_keys", "sparse_column_with_vocabulary_file", "transform_features", "weighted_sparse_column",
    "weighted_sum_from_feature_columns"), _COLUMNS)
_REFUSED.update(GDN="pip install tensorflow-compression has the layer", gdn="pip install tensorflow-compression has it",
                RevBlock="write the reversible block with tf.custom_gradient",
                rev_block="write the reversible block with tf.custom_gradient",
                recompute_grad="tf.recompute_grad does the same")
__getattr__ = _contrib.explain_missing(__name__, _INNER, _REFUSED)

"""tf.contrib.framework of TensorFlow 1.15: argument scopes, variables by name and collection, values from checkpoints.

Source of every function: tf.contrib.framework of TensorFlow 1.15.5, whose arguments, defaults, names and collections
they keep. What a function returns is a graph's tensor, variable or operation, unless it says otherwise.
"""
from __future__ import annotations

from tf1_autoencoders.tensorflow1 import contrib as _contrib
from tf1_autoencoders.tensorflow1.contrib.framework.model_variables import *  # noqa: F401, F403
from tf1_autoencoders.tensorflow1.contrib.framework.scopes import *  # noqa: F401, F403
from tf1_autoencoders.tensorflow1.contrib.framework.tensors import *  # noqa: F401, F403

_INNER = ("checkpoint_utils", "framework_ops", "ops", "variables", "tensor_util", "checkpoint_ops", "arg_ops")
_REFUSED = {name: "it changed the vocabulary of a checkpoint; load the checkpoint with tf.train.load_variable and "
                  "assign the rows that are wanted" for name in
            ("load_and_remap_matrix_initializer", "load_embedding_initializer", "load_variable_slot_initializer",
             "load_linear_multiclass_bias_initializer")}
_REFUSED.update(dict.fromkeys(("convolutional_delta_orthogonal", "convolutional_orthogonal_1d",
                               "convolutional_orthogonal_2d", "convolutional_orthogonal_3d"),
                              "tf.initializers.orthogonal is the initializer of matrices"))
_REFUSED.update(dict.fromkeys(("prepend_name_scope", "strip_name_scope"), "str.split and str.join do the same"))
_REFUSED.update(BoundedTensorSpec="tf.TensorSpec has shape and type", smart_case="tf.case does the same",
                fuse_op="it rewrote a GraphDef for an accelerator of its time; tf.graph_util does what is left of it",
                RecordInput="tf.data.TFRecordDataset reads the same files")
__getattr__ = _contrib.explain_missing(__name__, _INNER, _REFUSED)

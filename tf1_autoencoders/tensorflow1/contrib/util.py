"""tf.contrib.util of TensorFlow 1.15: values of constant tensors and protocol buffers."""
from __future__ import annotations

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1 import contrib as _contrib

constant_value = tf.get_static_value
make_ndarray = tf.make_ndarray
make_tensor_proto = tf.make_tensor_proto

_REFUSED = {"loader": "it loaded the operations that contrib was compiled with; there are none today",
            "ops_used_by_graph_def": "{node.op for node in graph_def.node} is the same",
            "stripped_op_list_for_graph": "{node.op for node in graph_def.node} has the names"}
__getattr__ = _contrib.explain_missing(__name__, ("tensor_util",), _REFUSED)

"""slim.nets.resnet_v2 of TensorFlow 1.15. Source: arXiv:1603.05027."""
from __future__ import annotations

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1 import contrib as _contrib
from tf1_autoencoders.tensorflow1.contrib import layers
from tf1_autoencoders.tensorflow1.contrib.framework import add_arg_scope
from tf1_autoencoders.tensorflow1.contrib.slim.nets import resnet_utils

resnet_arg_scope = resnet_utils.resnet_arg_scope


@add_arg_scope
def bottleneck(inputs, depth, depth_bottleneck, stride, rate=1, outputs_collections=None, scope=None):
    """Return a unit, float32[batch, ..., depth]: a shortcut and convolutions, normalized before each convolution.

    Args:
        depth, depth_bottleneck: channels of the output and of the two inner convolutions.
        stride, rate: of the middle convolution.
    """
    with tf.variable_scope(scope, "bottleneck_v2", [inputs]) as sc:
        n_inputs = layers.last_dimension(inputs.shape, min_rank=4)
        preact = layers.batch_norm(inputs, activation_fn=tf.nn.relu, scope="preact")
        if depth == n_inputs:
            shortcut = resnet_utils.subsample(inputs, stride, "shortcut")
        else:
            shortcut = layers.conv2d(preact, depth, [1, 1], stride=stride, normalizer_fn=None, activation_fn=None,
                                     scope="shortcut")
        residual = layers.conv2d(preact, depth_bottleneck, [1, 1], stride=1, scope="conv1")
        residual = resnet_utils.conv2d_same(residual, depth_bottleneck, 3, stride, rate=rate, scope="conv2")
        residual = layers.conv2d(residual, depth, [1, 1], stride=1, normalizer_fn=None, activation_fn=None,
                                 scope="conv3")
        return layers.collect_named_outputs(outputs_collections, sc.name, shortcut + residual)


resnet_v2, resnet_v2_block, _networks = resnet_utils.version("resnet_v2", bottleneck)
resnet_v2_50, resnet_v2_101, resnet_v2_152, resnet_v2_200 = _networks
__getattr__ = _contrib.explain_missing(__name__)

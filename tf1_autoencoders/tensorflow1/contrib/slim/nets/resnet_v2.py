"""slim.nets.resnet_v2 of TensorFlow 1.15. Source: arXiv:1603.05027."""
from __future__ import annotations

import functools

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1 import contrib as _contrib
from tf1_autoencoders.tensorflow1.contrib import layers
from tf1_autoencoders.tensorflow1.contrib.framework import add_arg_scope, arg_scope
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



def resnet_v2(inputs, blocks, num_classes=None, is_training=True, global_pool=True, output_stride=None,
              include_root_block=True, reuse=None, scope=None):
    """Return (logits or features, end points) of a ResNet of these blocks.

    Args:
        inputs: float32[batch, height, width, 3].
        blocks: list of resnet_utils.Block.
        num_classes: None for the features before the logits.
        global_pool: whether the mean over the pixels is taken.
        output_stride: see resnet_utils.stack_blocks_dense.
        include_root_block: whether the first convolution and pooling belong to the network.

    Raises:
        ValueError: an output_stride that is no multiple of 4, or that cannot be reached.
    """
    with tf.variable_scope(scope, "resnet_v2", [inputs], reuse=reuse) as sc:
        collection = sc.original_name_scope + "_end_points"
        with arg_scope([layers.conv2d, bottleneck, resnet_utils.stack_blocks_dense], outputs_collections=collection), \
                arg_scope([layers.batch_norm], is_training=is_training):
            net = inputs
            if include_root_block:
                if output_stride is not None:
                    if output_stride % 4 != 0:
                        raise ValueError("The output_stride needs to be a multiple of 4.")
                    output_stride /= 4
                with arg_scope([layers.conv2d], activation_fn=None, normalizer_fn=None):
                    net = resnet_utils.conv2d_same(net, 64, 7, stride=2, scope="conv1")
                net = layers.max_pool2d(net, [3, 3], stride=2, scope="pool1")
            net = resnet_utils.stack_blocks_dense(net, blocks, output_stride)
            net = layers.batch_norm(net, activation_fn=tf.nn.relu, scope="postnorm")
            if global_pool:
                net = tf.reduce_mean(net, [1, 2], name="pool5", keepdims=True)
            if num_classes is not None:
                net = layers.conv2d(net, num_classes, [1, 1], activation_fn=None, normalizer_fn=None, scope="logits")
            end_points = layers.convert_collection_to_dict(collection)
            if num_classes is not None:
                end_points["predictions"] = layers.softmax(net, scope="predictions")
            return net, end_points


resnet_v2.default_image_size = 224  # type: ignore[attr-defined]
resnet_v2_block = functools.partial(resnet_utils.block, bottleneck)


def _network(n_layers):
    """Return the function of a ResNet with so many layers."""
    def network(inputs, num_classes=None, is_training=True, global_pool=True, output_stride=None, reuse=None,
                scope=f"resnet_v2_{n_layers}"):
        return resnet_v2(inputs, resnet_utils.blocks(resnet_v2_block, n_layers), num_classes, is_training, global_pool,
                         output_stride, include_root_block=True, reuse=reuse, scope=scope)

    network.__name__ = network.__qualname__ = f"resnet_v2_{n_layers}"
    network.__doc__ = f"Return (logits or features, end points) of the ResNet with {n_layers} layers; see resnet_v2."
    return network


resnet_v2_50, resnet_v2_101, resnet_v2_152, resnet_v2_200 = map(_network, (50, 101, 152, 200))
__getattr__ = _contrib.explain_missing(__name__)

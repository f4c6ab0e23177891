"""slim.nets.resnet_utils of TensorFlow 1.15: what the two versions of ResNet share. Source: arXiv:1512.03385."""
from __future__ import annotations

import collections

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1 import contrib as _contrib
from tf1_autoencoders.tensorflow1.contrib import layers
from tf1_autoencoders.tensorflow1.contrib.framework import add_arg_scope, arg_scope

Block = collections.namedtuple("Block", ["scope", "unit_fn", "args"])
Block.__doc__ = "A block of a ResNet: name, function of a unit, and a list of the units' arguments as dictionaries."
# layers of the ResNets with 50, 101, 152 and 200 layers: units of each block, for widths 64, 128, 256, 512
UNITS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3), 200: (3, 24, 36, 3)}


def subsample(inputs, factor, scope=None):
    """Return every `factor`-th pixel of images."""
    return inputs if factor == 1 else layers.max_pool2d(inputs, [1, 1], stride=factor, scope=scope)


def conv2d_same(inputs, num_outputs, kernel_size, stride, rate=1, scope=None):
    """Return a strided convolution with padding "SAME" that does not depend on the size of the images.

    Args:
        kernel_size, stride, rate: ints.
    """
    if stride == 1:
        return layers.conv2d(inputs, num_outputs, kernel_size, stride=1, rate=rate, padding="SAME", scope=scope)
    total = (kernel_size - 1) * rate
    pads = [total // 2, total - total // 2]
    inputs = tf.pad(inputs, [[0, 0], pads, pads, [0, 0]])
    return layers.conv2d(inputs, num_outputs, kernel_size, stride=stride, rate=rate, padding="VALID", scope=scope)


@add_arg_scope
def stack_blocks_dense(net, blocks, output_stride=None, outputs_collections=None):
    """Return the output of the blocks, one after the other.

    Args:
        net: float32[batch, height, width, channels].
        blocks: list of Block.
        output_stride: ratio of the sizes of input and output; dilated convolutions take the place of strides beyond it.
            None for the blocks' own strides.

    Raises:
        ValueError: the blocks cannot have this stride.
    """
    current, rate = 1, 1
    for block in blocks:
        with tf.variable_scope(block.scope, "block", [net]) as sc:
            for k, unit in enumerate(block.args, 1):
                if output_stride is not None and current > output_stride:
                    raise ValueError("The target output_stride cannot be reached.")
                with tf.variable_scope(f"unit_{k}", values=[net]):
                    stride = unit.get("stride", 1)
                    if output_stride is not None and current == output_stride:
                        net = block.unit_fn(net, rate=rate, **dict(unit, stride=1))
                        rate *= stride
                    else:
                        net = block.unit_fn(net, rate=1, **unit)
                        current *= stride
            net = layers.collect_named_outputs(outputs_collections, sc.name, net)
    if output_stride is not None and current != output_stride:
        raise ValueError("The target output_stride cannot be reached.")
    return net


def resnet_arg_scope(weight_decay=0.0001, batch_norm_decay=0.997, batch_norm_epsilon=1e-5, batch_norm_scale=True):
    """Return the argument scope of a ResNet: ReLU, batch normalization, L2 regularisation, He's initialization."""
    parameters = {"decay": batch_norm_decay, "epsilon": batch_norm_epsilon, "scale": batch_norm_scale,
                  "updates_collections": tf.GraphKeys.UPDATE_OPS}
    with arg_scope([layers.conv2d], weights_regularizer=layers.l2_regularizer(weight_decay),
                   weights_initializer=layers.variance_scaling_initializer(), activation_fn=tf.nn.relu,
                   normalizer_fn=layers.batch_norm, normalizer_params=parameters):
        with arg_scope([layers.batch_norm], **parameters), arg_scope([layers.max_pool2d], padding="SAME") as scope:
            return scope


def block(unit_fn, scope, base_depth, num_units, stride):
    """Return a Block of bottleneck units of 4 * base_depth channels, the last of which has the stride."""
    unit = {"depth": base_depth * 4, "depth_bottleneck": base_depth}
    return Block(scope, unit_fn, [dict(unit, stride=1)] * (num_units - 1) + [dict(unit, stride=stride)])


def blocks(make_block, n_layers):
    """Return the four blocks of a ResNet with 50, 101, 152 or 200 layers."""
    return [make_block(f"block{k}", base_depth=32 * 2 ** k, num_units=units, stride=2 if k < 4 else 1)
            for k, units in enumerate(UNITS[n_layers], 1)]


__getattr__ = _contrib.explain_missing(__name__)

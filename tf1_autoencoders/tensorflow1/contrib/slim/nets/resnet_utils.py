"""slim.nets.resnet_utils of TensorFlow 1.15: what the two versions of ResNet share. Source: arXiv:1512.03385."""
from __future__ import annotations

import collections
import functools

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


def version(name, bottleneck):
    """Return (resnet, function of a block, [networks of 50, 101, 152 and 200 layers]) of a version of ResNet.

    Args:
        name: "resnet_v1", or "resnet_v2", which normalizes before its convolutions.
        bottleneck: function of a unit.
    """
    normalized_first = name == "resnet_v2"

    def resnet(inputs, blocks, num_classes=None, is_training=True, global_pool=True, output_stride=None,
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
        with tf.variable_scope(scope, name, [inputs], reuse=reuse) as sc:
            collection = sc.original_name_scope + "_end_points"
            with arg_scope([layers.conv2d, bottleneck, stack_blocks_dense], outputs_collections=collection), \
                    arg_scope([layers.batch_norm], is_training=is_training):
                net = inputs
                if include_root_block:
                    if output_stride is not None:
                        if output_stride % 4 != 0:
                            raise ValueError("The output_stride needs to be a multiple of 4.")
                        output_stride /= 4
                    plain = {"activation_fn": None, "normalizer_fn": None} if normalized_first else {}
                    with arg_scope([layers.conv2d], **plain):
                        net = conv2d_same(net, 64, 7, stride=2, scope="conv1")
                    net = layers.max_pool2d(net, [3, 3], stride=2, scope="pool1")
                net = stack_blocks_dense(net, blocks, output_stride)
                if normalized_first:
                    net = layers.batch_norm(net, activation_fn=tf.nn.relu, scope="postnorm")
                if global_pool:
                    net = tf.reduce_mean(net, [1, 2], name="pool5", keepdims=True)
                if num_classes is not None:
                    net = layers.conv2d(net, num_classes, [1, 1], activation_fn=None, normalizer_fn=None,
                                        scope="logits")
                end_points = layers.convert_collection_to_dict(collection)
                if num_classes is not None:
                    end_points["predictions"] = layers.softmax(net, scope="predictions")
                return net, end_points

    def network_of(n_layers):
        def network(inputs, num_classes=None, is_training=True, global_pool=True, output_stride=None, reuse=None,
                    scope=f"{name}_{n_layers}"):
            return resnet(inputs, blocks(make_block, n_layers), num_classes, is_training, global_pool, output_stride,
                          include_root_block=True, reuse=reuse, scope=scope)

        network.__name__ = network.__qualname__ = f"{name}_{n_layers}"
        network.__doc__ = f"Return (logits or features, end points) of the ResNet with {n_layers} layers; see {name}."
        return network

    resnet.__name__ = resnet.__qualname__ = name
    resnet.default_image_size = 224  # type: ignore[attr-defined]
    make_block = functools.partial(block, bottleneck)
    return resnet, make_block, [network_of(n_layers) for n_layers in UNITS]


__getattr__ = _contrib.explain_missing(__name__)

"""slim.nets.vgg of TensorFlow 1.15. Source: arXiv:1409.1556, configurations A, D and E."""
from __future__ import annotations

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1 import contrib as _contrib
from tf1_autoencoders.tensorflow1.contrib import layers
from tf1_autoencoders.tensorflow1.contrib.framework import arg_scope


def vgg_arg_scope(weight_decay=0.0005):
    """Return the argument scope of VGG: ReLU, L2 regularisation of the weights, padding "SAME"."""
    with arg_scope([layers.conv2d, layers.fully_connected], activation_fn=tf.nn.relu,
                   weights_regularizer=layers.l2_regularizer(weight_decay), biases_initializer=tf.zeros_initializer()):
        with arg_scope([layers.conv2d], padding="SAME") as scope:
            return scope


def _vgg(inputs, num_classes, is_training, dropout_keep_prob, spatial_squeeze, scope, name, repetitions):
    """Return (logits, end points): five blocks of convolutions, then three layers as convolutions."""
    with tf.variable_scope(scope, name, [inputs]) as sc:
        collection = sc.original_name_scope + "_end_points"
        with arg_scope([layers.conv2d, layers.max_pool2d], outputs_collections=collection):
            net = inputs
            for k, (times, channels) in enumerate(zip(repetitions, (64, 128, 256, 512, 512)), 1):
                net = layers.repeat(net, times, layers.conv2d, channels, [3, 3], scope=f"conv{k}")
                net = layers.max_pool2d(net, [2, 2], scope=f"pool{k}")
            net = layers.conv2d(net, 4096, [7, 7], padding="VALID", scope="fc6")
            net = layers.dropout(net, dropout_keep_prob, is_training=is_training, scope="dropout6")
            net = layers.conv2d(net, 4096, [1, 1], scope="fc7")
            net = layers.dropout(net, dropout_keep_prob, is_training=is_training, scope="dropout7")
            net = layers.conv2d(net, num_classes, [1, 1], activation_fn=None, normalizer_fn=None, scope="fc8")
            end_points = layers.convert_collection_to_dict(collection)
            if spatial_squeeze:
                net = tf.squeeze(net, [1, 2], name="fc8/squeezed")
                end_points[sc.name + "/fc8"] = net
            return net, end_points


def vgg_a(inputs, num_classes=1000, is_training=True, dropout_keep_prob=0.5, spatial_squeeze=True, scope="vgg_a"):
    """Return (logits, end points) of VGG with 11 layers; images are float32[batch, 224, 224, 3]."""
    return _vgg(inputs, num_classes, is_training, dropout_keep_prob, spatial_squeeze, scope, "vgg_a", (1, 1, 2, 2, 2))


def vgg_16(inputs, num_classes=1000, is_training=True, dropout_keep_prob=0.5, spatial_squeeze=True, scope="vgg_16"):
    """Return (logits, end points) of VGG with 16 layers; images are float32[batch, 224, 224, 3]."""
    return _vgg(inputs, num_classes, is_training, dropout_keep_prob, spatial_squeeze, scope, "vgg_16", (2, 2, 3, 3, 3))


def vgg_19(inputs, num_classes=1000, is_training=True, dropout_keep_prob=0.5, spatial_squeeze=True, scope="vgg_19"):
    """Return (logits, end points) of VGG with 19 layers; images are float32[batch, 224, 224, 3]."""
    return _vgg(inputs, num_classes, is_training, dropout_keep_prob, spatial_squeeze, scope, "vgg_19", (2, 2, 4, 4, 4))


for _network in (vgg_a, vgg_16, vgg_19):
    _network.default_image_size = 224  # type: ignore[attr-defined]
vgg_d, vgg_e = vgg_16, vgg_19
__getattr__ = _contrib.explain_missing(__name__)

"""Batch, layer, instance and group normalization."""
from __future__ import annotations

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1.contrib.framework import (
    add_arg_scope,
    model_variable,
    smart_cond,
    smart_constant_value,
)
from tf1_autoencoders.tensorflow1.contrib.layers.common import (
    DATA_FORMAT_NCHW,
    DATA_FORMAT_NHWC,
    _checked_data_format,
    _collect_variables,
    _finished,
    _known_size,
    _model_variable_getter,
    get_variable_collections,
)


def _assign_moving_average(variable, value, decay, zero_debias):
    """Return the operation that moves a variable towards a value: variable -= (variable - value) * (1 - decay).

    With zero_debias, the variable becomes the moving average divided by 1 - decay ** steps; two more variables hold
    the average and the number of steps (arXiv:1412.6980, section 3).
    """
    with tf.name_scope(None, "AssignMovingAvg", [variable, value, decay]) as scope:
        rate = tf.convert_to_tensor(1.0 - decay, dtype=variable.dtype.base_dtype, name="decay")
        if not zero_debias:
            return tf.assign_sub(variable, (variable - value) * rate, name=scope)
        with tf.variable_scope(variable.op.name, values=[variable, value, rate]):
            biased = tf.get_variable("biased", variable.shape, variable.dtype.base_dtype, tf.zeros_initializer(),
                                     trainable=False)
            step = tf.get_variable("local_step", [], variable.dtype.base_dtype, tf.zeros_initializer(),
                                   trainable=False)
        moved = tf.assign_sub(biased, (biased - value) * rate)
        stepped = tf.assign_add(step, 1)
        return tf.assign(variable, moved / (1 - tf.pow(1.0 - rate, stepped)), name=scope)


def _updated(updates_collections, is_training, moving, batch, decay, zero_debias, trained, otherwise):
    """Update the moving averages by the batch's mean and variance; return trained() or otherwise().

    Without collections, the updates run before the tensors that trained() gives. With collections, the updates join
    them, and what is returned does not wait for them.
    """
    def updates():
        return (_assign_moving_average(moving[0], batch[0], decay, zero_debias),
                _assign_moving_average(moving[1], batch[1], decay, False))

    def after_updates():
        with tf.control_dependencies(list(updates())):
            return tf.nest.map_structure(tf.identity, trained())

    if updates_collections is None:
        return smart_cond(is_training, after_updates, otherwise)
    for update in smart_cond(is_training, updates, lambda: tuple(moving)):
        tf.add_to_collections(updates_collections, update)
    return trained() if trained is otherwise else smart_cond(is_training, trained, otherwise)


@add_arg_scope
def batch_norm(inputs, decay=0.999, center=True, scale=False, epsilon=0.001, activation_fn=None,
               param_initializers=None, param_regularizers=None, updates_collections=tf.GraphKeys.UPDATE_OPS,
               is_training=True, reuse=None, variables_collections=None, outputs_collections=None, trainable=True,
               batch_weights=None, fused=None, data_format=DATA_FORMAT_NHWC, zero_debias_moving_mean=False, scope=None,
               renorm=False, renorm_clipping=None, renorm_decay=0.99, adjustment=None):
    """Return the inputs normalized over the batch, [...] as the inputs; default scope `BatchNorm`.

    Args:
        inputs: float[batch, ..., channels]; channels second with data_format "NCHW".
        decay: of the moving averages.
        center, scale: whether `beta` is added, whether `gamma` multiplies.
        epsilon: added to the variance.
        param_initializers: {"beta", "gamma", "moving_mean", "moving_variance": initializer}.
        param_regularizers: {"beta", "gamma": regularizer}.
        updates_collections: collections of the operations that update the moving averages; None to update them whenever
            the output is computed in training.
        is_training: bool or bool tensor: the batch's own mean and variance, or the moving averages.
        batch_weights: float[batch], weights of the examples in mean and variance; None for equal weights.
        fused: False to compute it by several operations, as ranks other than 2 and 4 and weights always do.
        zero_debias_moving_mean: whether the moving mean is corrected for its first value, by two more variables.
        renorm, renorm_clipping, renorm_decay: batch renormalization, arXiv:1702.03275.
        adjustment: function of the shape that gives (scale, bias) of the normalized values in training.

    Raises:
        ValueError: an unknown data_format, an unknown rank, or renorm with what it cannot go together with.

    Source: arXiv:1502.03167.
    """
    channels_first = _checked_data_format(data_format, (DATA_FORMAT_NCHW, DATA_FORMAT_NHWC))
    inputs = tf.convert_to_tensor(inputs)
    rank = inputs.shape.ndims
    if rank is None:
        raise ValueError(f"Inputs {inputs.name} has undefined rank")
    fused = batch_weights is None and not renorm and rank in (2, 4) and adjustment is None and fused is not False
    default_updates = updates_collections == tf.GraphKeys.UPDATE_OPS
    if fused and (zero_debias_moving_mean or rank == 2 or not default_updates):
        return _fused_batch_norm(
            inputs, decay, center, scale, epsilon, activation_fn, param_initializers or {}, param_regularizers or {},
            updates_collections, is_training, reuse, variables_collections, outputs_collections, trainable,
            channels_first, zero_debias_moving_mean, scope)
    initial, regular = param_initializers or {}, param_regularizers or {}
    with tf.variable_scope(scope, "BatchNorm", [inputs], reuse=reuse, custom_getter=_model_variable_getter()) as sc:
        if batch_weights is None and default_updates and not zero_debias_moving_mean:
            layer = tf.layers.BatchNormalization(
                axis=1 if channels_first else -1, momentum=decay, epsilon=epsilon, center=center, scale=scale,
                beta_initializer=initial.get("beta", tf.zeros_initializer()),
                gamma_initializer=initial.get("gamma", tf.ones_initializer()),
                moving_mean_initializer=initial.get("moving_mean", tf.zeros_initializer()),
                moving_variance_initializer=initial.get("moving_variance", tf.ones_initializer()),
                beta_regularizer=regular.get("beta"), gamma_regularizer=regular.get("gamma"), trainable=trainable,
                renorm=renorm, renorm_clipping=renorm_clipping, renorm_momentum=renorm_decay, adjustment=adjustment,
                name=sc.name, _scope=sc, _reuse=reuse, fused=fused)
            outputs = layer.apply(inputs, training=is_training)  # the layer itself adds its updates to UPDATE_OPS
            _collect_variables(variables_collections, beta=layer.beta if center else None,
                               gamma=layer.gamma if scale else None, moving_mean=layer.moving_mean,
                               moving_variance=layer.moving_variance)
            return _finished(outputs, sc, activation_fn, outputs_collections)
        if renorm or adjustment is not None:
            raise ValueError("batch_norm: renorm and adjustment need the default updates_collections, no "
                             "batch_weights and no zero_debias_moving_mean")
        outputs = _unfused_batch_norm(inputs, decay, center, scale, epsilon, initial, regular, updates_collections,
                                      is_training, variables_collections, trainable, batch_weights, channels_first,
                                      zero_debias_moving_mean)
        return _finished(outputs, sc, activation_fn, outputs_collections)


def _norm_parameters(channels, dtype, center, scale, initializers, regularizers, variables_collections, trainable,
                     constants=False):
    """Return (beta, gamma), float[channels], each None or, with `constants`, a constant where it is not wanted."""
    pair = []
    for name, wanted, default, make in (("beta", center, tf.zeros_initializer(), 0.0),
                                        ("gamma", scale, tf.ones_initializer(), 1.0)):
        if wanted:
            pair.append(model_variable(
                name, shape=[channels], dtype=dtype, initializer=initializers.get(name, default),
                regularizer=regularizers.get(name), trainable=trainable,
                collections=get_variable_collections(variables_collections, name)))
        else:
            pair.append(tf.constant(make, dtype=dtype, shape=[channels]) if constants else None)
    return pair[0], pair[1]


def _moving_statistics(channels, dtype, initializers, variables_collections):
    """Return the variables (moving_mean, moving_variance), float[channels]."""
    return tuple(model_variable(  # type: ignore[return-value]
        name, shape=[channels], dtype=dtype, initializer=initializers.get(name, default), trainable=False,
        collections=get_variable_collections(variables_collections, name))
        for name, default in (("moving_mean", tf.zeros_initializer()), ("moving_variance", tf.ones_initializer())))


def _fused_batch_norm(inputs, decay, center, scale, epsilon, activation_fn, initializers, regularizers,
                      updates_collections, is_training, reuse, variables_collections, outputs_collections, trainable,
                      channels_first, zero_debias, scope):
    """Return batch_norm by the fused operation, with updates in any collection."""
    with tf.variable_scope(scope, "BatchNorm", [inputs], reuse=reuse) as sc:
        original, dtype = inputs, inputs.dtype.base_dtype
        channels = _known_size(inputs.shape, 1 if channels_first else -1)
        if inputs.shape.ndims == 2:
            inputs = tf.reshape(inputs, [-1, channels, 1, 1] if channels_first else [-1, 1, 1, channels])
        beta, gamma = _norm_parameters(channels, dtype, center, scale, initializers, regularizers,
                                       variables_collections, trainable, constants=True)
        moving = _moving_statistics(channels, dtype, initializers, variables_collections)
        data_format = DATA_FORMAT_NCHW if channels_first else DATA_FORMAT_NHWC

        def of_batch():
            return tf.nn.fused_batch_norm(inputs, gamma, beta, epsilon=epsilon, data_format=data_format)

        def of_moving_averages():
            return tf.nn.fused_batch_norm(inputs, gamma, beta, mean=moving[0], variance=moving[1], epsilon=epsilon,
                                          is_training=False, data_format=data_format)

        normalized, *batch = smart_cond(is_training, of_batch, of_moving_averages)
        outputs = normalized
        if smart_constant_value(is_training) is not False:
            keep = lambda: normalized  # noqa: E731
            outputs = _updated(updates_collections, is_training, moving, batch, decay, zero_debias, keep, keep)
        if original.shape.ndims == 2:
            outputs = tf.reshape(outputs, tf.shape(original))
        outputs.set_shape(original.shape)
        return _finished(outputs, sc, activation_fn, outputs_collections)


def _unfused_batch_norm(inputs, decay, center, scale, epsilon, initializers, regularizers, updates_collections,
                        is_training, variables_collections, trainable, batch_weights, channels_first, zero_debias):
    """Return batch_norm by several operations, with weights of the examples or updates in any collection."""
    shape, dtype = inputs.shape, inputs.dtype.base_dtype
    if batch_weights is not None:
        batch_weights = tf.reshape(tf.convert_to_tensor(batch_weights), [-1] + [1] * (shape.ndims - 1))
    axis = 1 if channels_first else shape.ndims - 1
    channels = _known_size(shape, axis)
    beta, gamma = _norm_parameters(channels, dtype, center, scale, initializers, regularizers, variables_collections,
                                   trainable)
    moving = _moving_statistics(channels, dtype, initializers, variables_collections)
    mean, variance = moving
    if smart_constant_value(is_training) is not False:
        axes = [one for one in range(shape.ndims) if one != axis]
        if batch_weights is None:
            batch = tf.nn.moments(inputs, axes, keep_dims=channels_first)
        else:
            batch = tf.nn.weighted_moments(inputs, axes, batch_weights, keep_dims=channels_first)
        if channels_first:
            batch = tuple(tf.reshape(one, [-1]) for one in batch)
        mean, variance = _updated(updates_collections, is_training, moving, batch, decay, zero_debias,
                                  lambda: batch, lambda: moving)
    if channels_first:
        broadcast = [1, channels] + [1] * (shape.ndims - 2)
        mean, variance, beta, gamma = (None if one is None else tf.reshape(one, broadcast)
                                       for one in (mean, variance, beta, gamma))
    with tf.name_scope("batchnorm"):  # 1.15 enters this scope before, so that the next one is batchnorm_1
        pass
    outputs = tf.nn.batch_normalization(inputs, mean, variance, beta, gamma, epsilon)
    outputs.set_shape(shape)
    return outputs


@add_arg_scope
def layer_norm(inputs, center=True, scale=True, activation_fn=None, reuse=None, variables_collections=None,
               outputs_collections=None, trainable=True, begin_norm_axis=1, begin_params_axis=-1, scope=None):
    """Return the inputs normalized over the dimensions from begin_norm_axis on; default scope `LayerNorm`.

    Args:
        center, scale: whether `beta` is added, whether `gamma` multiplies.
        begin_params_axis: both have the sizes from this dimension on.

    Raises:
        ValueError: the rank is unknown or not above the axes, or a size of the parameters is unknown.

    Source: arXiv:1607.06450. Epsilon is 1e-12, or 1e-3 for float16.
    """
    with tf.variable_scope(scope, "LayerNorm", [inputs], reuse=reuse) as sc:
        inputs = tf.convert_to_tensor(inputs)
        shape, rank, dtype = inputs.shape, inputs.shape.ndims, inputs.dtype.base_dtype
        if rank is None:
            raise ValueError(f"Inputs {inputs.name} has undefined rank.")
        first = begin_norm_axis + rank if begin_norm_axis < 0 else begin_norm_axis
        if begin_params_axis >= rank or first >= rank:
            raise ValueError(f"begin_params_axis ({begin_params_axis}) and begin_norm_axis ({first}) must be < "
                             f"rank(inputs) ({rank})")
        sizes = shape[begin_params_axis:]
        if not sizes.is_fully_defined():
            raise ValueError(f"Inputs {inputs.name}: shape(inputs)[{begin_params_axis}:] is not fully defined: {shape}")
        beta, gamma = (model_variable(name, shape=sizes, dtype=dtype, initializer=initializer, trainable=trainable,
                                      collections=get_variable_collections(variables_collections, name))
                       if wanted else None
                       for name, wanted, initializer in (("beta", center, tf.zeros_initializer()),
                                                         ("gamma", scale, tf.ones_initializer())))
        mean, variance = tf.nn.moments(inputs, list(range(first, rank)), keep_dims=True)
        epsilon = 1e-3 if dtype == tf.float16 else 1e-12
        outputs = tf.nn.batch_normalization(inputs, mean, variance, offset=beta, scale=gamma,
                                            variance_epsilon=epsilon)
        outputs.set_shape(shape)
        return _finished(outputs, sc, activation_fn, outputs_collections)


@add_arg_scope
def instance_norm(inputs, center=True, scale=True, epsilon=1e-06, activation_fn=None, param_initializers=None,
                  reuse=None, variables_collections=None, outputs_collections=None, trainable=True,
                  data_format=DATA_FORMAT_NHWC, scope=None):
    """Return each channel of each example normalized over its pixels; default scope `InstanceNorm`.

    Args:
        inputs: float[batch, ..., channels]; channels second with data_format "NCHW".
        center, scale: whether `beta` is added, whether `gamma` multiplies, float[channels].
        param_initializers: {"beta", "gamma": initializer}.

    Raises:
        ValueError: an unknown data_format, an unknown rank, or an unknown number of channels.

    Source: arXiv:1607.08022.
    """
    inputs = tf.convert_to_tensor(inputs)
    channels_first = _checked_data_format(data_format, (DATA_FORMAT_NCHW, DATA_FORMAT_NHWC))
    with tf.variable_scope(scope, "InstanceNorm", [inputs], reuse=reuse) as sc:
        rank = inputs.shape.ndims
        if rank is None:
            raise ValueError(f"Inputs {inputs.name} has undefined rank.")
        axis = 1 if channels_first else rank - 1
        channels = _known_size(inputs.shape, axis)
        beta, gamma = _norm_parameters(channels, inputs.dtype.base_dtype, center, scale, param_initializers or {}, {},
                                       variables_collections, trainable)
        if channels_first:
            broadcast = [1, channels] + [1] * (rank - 2)
            beta, gamma = (None if one is None else tf.reshape(one, broadcast) for one in (beta, gamma))
        mean, variance = tf.nn.moments(inputs, [one for one in range(1, rank) if one != axis], keep_dims=True)
        with tf.name_scope("instancenorm"):
            factor = tf.rsqrt(variance + epsilon)
            if gamma is not None:
                factor *= gamma
            outputs = inputs * factor + (beta - mean * factor if beta is not None else -mean * factor)
        outputs.set_shape(inputs.shape)
        return _finished(outputs, sc, activation_fn, outputs_collections)


@add_arg_scope
def group_norm(inputs, groups=32, channels_axis=-1, reduction_axes=(-3, -2), center=True, scale=True, epsilon=1e-06,
               activation_fn=None, param_initializers=None, reuse=None, variables_collections=None,
               outputs_collections=None, trainable=True, scope=None, mean_close_to_zero=False):
    """Return groups of channels normalized over their channels and `reduction_axes`; default scope `GroupNorm`.

    Args:
        inputs: float[batch, ..., channels].
        groups: number of groups; the number of channels is a multiple.
        channels_axis: the dimension of the channels.
        reduction_axes: further dimensions to normalize over, usually height and width.
        center, scale: whether `beta` is added, whether `gamma` multiplies, float[channels].
        mean_close_to_zero: whether mean and variance may be computed in one pass, which is exact enough near zero.

    Raises:
        ValueError: unknown rank or channels, channels that are no multiple of `groups`, or axes that overlap.

    Source: arXiv:1803.08494.
    """
    inputs = tf.convert_to_tensor(inputs)
    rank = inputs.shape.ndims
    if rank is None:
        raise ValueError(f"Inputs {inputs.name} has undefined rank.")
    axis = channels_axis % rank
    reduced = [one % rank for one in reduction_axes]
    channels = inputs.shape.as_list()[axis]
    if axis in reduced:
        raise ValueError(f"group_norm: channels_axis {channels_axis} is also in reduction_axes {reduction_axes}")
    if channels is None or channels % groups:
        raise ValueError(f"group_norm: {channels} channels are no multiple of {groups} groups")
    sizes = inputs.shape.as_list()
    if None in sizes:
        dynamic = tf.shape(inputs)
        sizes = [dynamic[position] if size is None else size for position, size in enumerate(sizes)]
    grouped = tf.reshape(inputs, [*sizes[:axis], groups, channels // groups, *sizes[axis + 1:]])
    # one more dimension: those behind the channels are one further
    axes = [one + (one > axis) for one in reduced] + [axis + 1]
    broadcast = [1] * (rank + 1)
    broadcast[axis], broadcast[axis + 1] = groups, channels // groups
    with tf.variable_scope(scope, "GroupNorm", [inputs], reuse=reuse) as sc:
        beta, gamma = (tf.reshape(model_variable(
            name, shape=[channels], dtype=inputs.dtype.base_dtype,
            initializer=(param_initializers or {}).get(name, initializer), trainable=trainable,
            collections=get_variable_collections(variables_collections, name)), broadcast) if wanted else None
            for name, wanted, initializer in (("beta", center, tf.zeros_initializer()),
                                              ("gamma", scale, tf.ones_initializer())))
        if mean_close_to_zero:
            n, total, squares, _ = tf.nn.sufficient_statistics(grouped, axes, keep_dims=True)
            mean, variance = tf.nn.normalize_moments(n, total, squares, shift=None)
        else:
            mean, variance = tf.nn.moments(grouped, axes, keep_dims=True)
        factor = tf.rsqrt(variance + epsilon)
        offset = -mean * factor
        if gamma is not None:
            factor, offset = factor * gamma, offset * gamma
        if beta is not None:
            offset += beta
        outputs = tf.reshape(grouped * factor + offset, sizes)
        outputs.set_shape(inputs.shape)
        return _finished(outputs, sc, activation_fn, outputs_collections)

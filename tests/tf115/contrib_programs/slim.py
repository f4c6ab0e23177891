"""Programs of tf.contrib.slim, losses, metrics and training."""
from tests.tf115.contrib_programs import call


@call
def slim(c):
    slim, tf = c.tf.contrib.slim, c.tf
    with slim.arg_scope([slim.conv2d, slim.fully_connected], weights_regularizer=slim.l2_regularizer(0.01),
                        weights_initializer=tf.truncated_normal_initializer(0.0, 0.1), normalizer_fn=slim.batch_norm):
        net = slim.repeat(c.floats(3, 8, 8, 2), 2, slim.conv2d, 3, [3, 3], scope="conv1")
        net = slim.max_pool2d(net, [2, 2], scope="pool1")
        net = slim.flatten(net)
        net = slim.stack(net, slim.fully_connected, [4, 3], scope="fc")
        net = slim.dropout(net, 0.5, scope="dropout")
        return slim.fully_connected(net, 2, activation_fn=None, normalizer_fn=None, scope="logits")


def _small_resnet(c, version, **options):
    """Return the logits of a ResNet with two blocks of two units."""
    resnet_utils, module = c.network("resnet_utils"), c.network(f"resnet_v{version}")
    make = getattr(module, f"resnet_v{version}_block")
    blocks = [make("block1", base_depth=2, num_units=2, stride=2), make("block2", base_depth=3, num_units=2, stride=1)]
    with c.tf.contrib.slim.arg_scope(resnet_utils.resnet_arg_scope()):
        logits, end_points = getattr(module, f"resnet_v{version}")(c.floats(8, 8, 8, 3), blocks, 3, scope="resnet",
                                                                   include_root_block=False, **options)
    for name, tensor in end_points.items():
        c.tf.add_to_collection("outputs", c.tf.identity(tensor, name=name.replace("/", "_")))
    return c.layers.flatten(logits)


@call
def slim_nets_resnet_v1(c):
    return _small_resnet(c, 1, is_training=False)


@call
def slim_nets_resnet_v2(c):
    return _small_resnet(c, 2, is_training=False, output_stride=1)


@call
def slim_nets_vgg_16(c):
    vgg = c.network("vgg")
    with c.tf.contrib.slim.arg_scope(vgg.vgg_arg_scope()):
        return vgg.vgg_16(c.fixed(1, 224, 224, 3), 5)[0]


@call
def slim_nets_alexnet(c):
    alexnet = c.network("alexnet")
    with c.tf.contrib.slim.arg_scope(alexnet.alexnet_v2_arg_scope()):
        logits, end_points = alexnet.alexnet_v2(c.fixed(1, 224, 224, 3), 5)
    assert list(end_points)[-1] == "alexnet_v2/fc8"
    return logits


@call
def slim_nets_resnet_v1_50(c):
    resnet_v1 = c.network("resnet_v1")
    with c.tf.contrib.slim.arg_scope(resnet_v1.resnet_arg_scope()):
        return resnet_v1.resnet_v1_50(c.fixed(1, 64, 64, 3), 5)[0]


@call
def slim_losses(c):
    slim, tf = c.tf.contrib.slim, c.tf
    logits = slim.fully_connected(c.floats(3, 5), 4, activation_fn=None)
    slim.losses.softmax_cross_entropy(logits, tf.one_hot(c.integers(4, 3), 4))
    slim.losses.sparse_softmax_cross_entropy(logits, tf.cast(c.integers(4, 3), tf.int64))
    slim.losses.sigmoid_cross_entropy(logits, tf.one_hot(c.integers(4, 3), 4), label_smoothing=0.1)
    slim.losses.mean_squared_error(logits, c.floats(3, 4), weights=0.5)
    slim.losses.absolute_difference(logits, c.floats(3, 4))
    slim.losses.log_loss(tf.nn.sigmoid(logits), tf.one_hot(c.integers(4, 3), 4))
    slim.losses.cosine_distance(tf.nn.l2_normalize(logits, 1), tf.nn.l2_normalize(c.floats(3, 4), 1), dim=1)
    slim.losses.mean_pairwise_squared_error(logits, c.floats(3, 4))
    return slim.losses.get_total_loss()


@call
def losses_weighted(c):
    losses, tf = c.tf.contrib.losses, c.tf
    predictions = c.layers.linear(c.floats(3, 5), 4)
    losses.mean_squared_error(predictions, c.floats(3, 4), weights=tf.constant([[1.0], [0.0], [2.0]]))
    losses.compute_weighted_loss(tf.square(predictions), 0.3)
    losses.add_loss(tf.reduce_sum(losses.hinge_loss(predictions, tf.one_hot(c.integers(4, 3), 4))))
    return predictions


@call
def slim_train_op(c):
    slim, tf = c.tf.contrib.slim, c.tf
    net = slim.fully_connected(c.floats(3, 5), 4, normalizer_fn=slim.batch_norm)
    slim.losses.mean_squared_error(net, c.floats(3, 4))
    total = slim.losses.get_total_loss()
    return slim.learning.create_train_op(total, tf.train.GradientDescentOptimizer(0.1), clip_gradient_norm=0.5,
                                         summarize_gradients=True,
                                         gradient_multipliers={"fully_connected/weights": 2.0})


@call
def sequence_loss(c):
    tf = c.tf
    logits = c.layers.linear(c.floats(3, 4, 5), 6)
    return tf.contrib.seq2seq.sequence_loss(logits, c.integers(6, 3, 4), tf.ones([3, 4]))


@call
def sequence_loss_by_step(c):
    tf = c.tf
    logits = c.layers.linear(c.floats(3, 4, 5), 6)
    by_step = tf.contrib.seq2seq.sequence_loss(logits, c.integers(6, 3, 4), tf.abs(c.floats(3, 4)),
                                               average_across_timesteps=False, name="loss")
    whole = tf.contrib.seq2seq.sequence_loss(logits, c.integers(6, 3, 4), tf.ones([3, 4]),
                                             average_across_batch=False, average_across_timesteps=False)
    return by_step + whole


@call
def metrics_streaming(c):
    metrics, tf = c.tf.contrib.metrics, c.tf
    classes, labels, scores = c.integers(2, 9), c.integers(2, 9), tf.sigmoid(c.floats(9))
    values, targets = c.fixed(9, 3), c.fixed(9, 3)
    three, wide = tf.cast(c.integers(3, 9), tf.int64), c.floats(9, 3)
    updates = [update for _, update in (
        metrics.streaming_accuracy(classes, labels), metrics.streaming_precision(classes, labels),
        metrics.streaming_recall(classes, labels), metrics.streaming_auc(scores, labels),
        metrics.streaming_mean(values), metrics.streaming_mean_squared_error(values, targets),
        metrics.streaming_mean_absolute_error(values, targets),
        metrics.streaming_root_mean_squared_error(values, targets),
        metrics.streaming_mean_cosine_distance(values, targets, dim=1), metrics.streaming_percentage_less(scores, 0.4),
        metrics.streaming_mean_relative_error(values, targets, tf.abs(targets) + 1.0),
        metrics.streaming_true_positives(classes, labels), metrics.streaming_false_positives(classes, labels),
        metrics.streaming_false_negatives(classes, labels), metrics.streaming_recall_at_k(wide, three, 2),
        metrics.streaming_sparse_precision_at_k(wide, three, 2),
        metrics.streaming_sensitivity_at_specificity(scores, labels, 0.5))]
    updates += [tf.reduce_sum(update) for _, update in (
        metrics.streaming_mean_iou(classes, labels, 2), metrics.streaming_mean_tensor(values),
        metrics.streaming_precision_at_thresholds(scores, labels, [0.3, 0.6]),
        metrics.streaming_recall_at_thresholds(scores, labels, [0.3, 0.6]))]
    counted = [metric(scores * 1.2, labels, [0.3, 0.6], *weights) for weights in ((), (tf.abs(c.floats(9)),))
               for metric in (metrics.streaming_true_positives_at_thresholds,
                              metrics.streaming_true_negatives_at_thresholds,
                              metrics.streaming_false_positives_at_thresholds,
                              metrics.streaming_false_negatives_at_thresholds)]
    c.questions["local"] = lambda session: [len(tf.local_variables()), sum(
        k * ord(letter) for k, letter in enumerate("".join(variable.op.name for variable in tf.local_variables())))]
    updates += [tf.reduce_sum(update) for _, update in counted]
    return tf.stack([tf.cast(update, tf.float32) for update in updates])


@call
def training_gradients(c):
    training, tf = c.tf.contrib.training, c.tf
    loss = tf.reduce_mean(tf.square(c.layers.linear(c.floats(3, 5), 4)))
    pairs = tf.train.GradientDescentOptimizer(0.1).compute_gradients(loss)
    pairs = training.multiply_gradients(pairs, {"fully_connected/weights": 3.0})
    pairs = training.clip_gradient_norms_fn(0.5)(training.clip_gradient_norms(pairs, 0.6))
    training.add_gradients_summaries(pairs)
    return pairs[0][0]


@call
def layers_others(c):
    layers = c.layers
    sparse = layers.dense_to_sparse(c.integers(3, 3, 4))
    hidden = layers.convolution3d(layers.convolution3d_transpose(c.floats(2, 2, 2, 2, 2), 2, 3), 2, 3)
    plane = layers.convolution2d_in_plane(c.floats(2, 4, 4, 2), 3, stride=2)
    hidden = layers.linear(layers.flatten(hidden), 3) + layers.linear(layers.flatten(plane), 3)
    return hidden + c.tf.reduce_sum(c.tf.cast(sparse.values, c.tf.float32))


@call
def metrics_accuracy(c):
    return c.tf.contrib.metrics.accuracy(c.integers(2, 9), c.integers(2, 9))

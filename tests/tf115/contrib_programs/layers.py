"""Programs of tf.contrib.layers."""
from tests.tf115.contrib_programs import call


@call
def fully_connected(c):
    return c.layers.fully_connected(c.layers.fully_connected(c.floats(3, 5), 4), 2, activation_fn=None)


@call
def fully_connected_regularized(c):
    l2, l1 = c.layers.l2_regularizer(0.1), c.layers.l1_regularizer(0.2)
    return c.layers.fully_connected(c.floats(3, 5), 4, c.tf.nn.tanh, weights_regularizer=l2, biases_regularizer=l1,
                                    biases_initializer=c.tf.random_normal_initializer(stddev=0.1), scope="dense")


@call
def fully_connected_normalized(c):
    hidden = c.layers.fully_connected(c.floats(5, 6), 4, normalizer_fn=c.layers.batch_norm,
                                      normalizer_params={"is_training": True, "scale": True, "decay": 0.9})
    return c.layers.fully_connected(hidden, 3, activation_fn=c.tf.nn.sigmoid, biases_initializer=None)


@call
def fully_connected_rank3(c):
    return c.layers.fully_connected(c.layers.fully_connected(c.floats(2, 3, 5), 4), 2)


@call
def fully_connected_collections(c):
    return c.layers.fully_connected(c.floats(3, 5), 4, outputs_collections="outputs", trainable=True, scope="a/b",
                                    variables_collections={"weights": ["weights"], "biases": ["biases"]})


@call
def fully_connected_reuse(c):
    first = c.layers.fully_connected(c.floats(3, 5), 4, scope="shared")
    return first + c.layers.fully_connected(c.floats(3, 5), 4, scope="shared", reuse=True)


@call
def linear_relu_elu(c):
    hidden = c.layers.elu(c.layers.relu6(c.layers.relu(c.floats(3, 5), 4), 3), 3)
    return c.layers.linear(hidden, 2)


@call
def legacy_fully_connected(c):
    hidden = c.layers.legacy_relu(c.floats(3, 5), 4)
    return c.layers.legacy_linear(hidden, 2, weight_regularizer=c.layers.l2_regularizer(0.1))


@call
def conv2d(c):
    hidden = c.layers.conv2d(c.floats(2, 6, 6, 3), 4, 3)
    return c.layers.conv2d(hidden, 2, [3, 2], stride=2, padding="VALID", activation_fn=None)


@call
def conv2d_options(c):
    hidden = c.layers.convolution2d(c.floats(2, 7, 7, 3), 4, 3, rate=2, normalizer_fn=c.layers.batch_norm)
    return c.layers.conv2d(hidden, 3, 3, weights_initializer=c.tf.truncated_normal_initializer(stddev=0.05),
                           weights_regularizer=c.layers.l2_regularizer(0.05), biases_initializer=None)


@call
def conv1d(c):
    return c.layers.conv1d(c.layers.convolution(c.floats(2, 7, 3), 4, 3), 2, 3, stride=2, padding="VALID")


@call
def conv3d(c):
    return c.layers.conv3d(c.floats(2, 4, 4, 4, 2), 3, 3, stride=2)


@call
def conv2d_transpose(c):
    hidden = c.layers.conv2d_transpose(c.floats(2, 4, 4, 3), 4, 3, stride=2)
    return c.layers.convolution2d_transpose(hidden, 2, [3, 2], 2, "VALID", activation_fn=c.tf.nn.tanh)


@call
def conv2d_transpose_normalized(c):
    return c.layers.conv2d_transpose(c.fixed(2, 3, 3, 2), 3, 4, 2, normalizer_fn=c.layers.batch_norm,
                                     weights_regularizer=c.layers.l2_regularizer(0.05))


@call
def conv3d_transpose(c):
    return c.layers.conv3d_transpose(c.floats(2, 2, 2, 2, 2), 3, 3, stride=2)


@call
def conv2d_in_plane(c):
    return c.layers.conv2d_in_plane(c.floats(2, 6, 6, 3), [3, 2], weights_regularizer=c.layers.l2_regularizer(0.05))


@call
def separable_conv2d(c):
    hidden = c.layers.separable_conv2d(c.floats(2, 6, 6, 3), 4, 3)
    return c.layers.separable_convolution2d(hidden, 2, [3, 3], depth_multiplier=2, stride=2, padding="VALID",
                                            weights_regularizer=c.layers.l2_regularizer(0.05), activation_fn=None)


@call
def separable_conv2d_depthwise(c):
    return c.layers.separable_conv2d(c.floats(2, 6, 6, 3), None, 3, 2, normalizer_fn=c.layers.batch_norm)


@call
def pooling(c):
    images = c.floats(2, 7, 7, 2)
    pooled = c.layers.avg_pool2d(c.layers.max_pool2d(images, 2, stride=1, padding="SAME"), [3, 3], scope="pool")
    return c.layers.flatten(pooled) + c.layers.flatten(c.layers.max_pool2d(images, 3))


@call
def pooling3d(c):
    volumes = c.floats(2, 4, 4, 4, 2)
    return c.layers.max_pool3d(volumes, 2) + c.layers.avg_pool3d(volumes, [2, 2, 2])


@call
def pool(c):
    images = c.floats(2, 7, 7, 2)
    return c.tf.contrib.slim.pool(images, [2, 2], "AVG", stride=2) * 2.0


@call
def flatten(c):
    return c.layers.flatten(c.floats(2, 3, 4, 2), outputs_collections="outputs", scope="flat")


@call
def dropout(c):
    hidden = c.layers.dropout(c.floats(3, 6))
    hidden = c.layers.fully_connected(hidden, 5)
    return c.layers.fully_connected(c.layers.dropout(hidden, 0.8, is_training=c.booleans(True)), 4)


@call
def dropout_options(c):
    hidden = c.layers.dropout(c.floats(3, 6), 0.7, noise_shape=[3, 1], scope="drop", outputs_collections="outputs")
    return c.layers.fully_connected(c.layers.dropout(hidden, 0.5, is_training=False), 4)


@call
def batch_norm(c):
    hidden = c.layers.fully_connected(c.layers.batch_norm(c.floats(4, 5)), 4)
    return c.layers.fully_connected(c.layers.batch_norm(hidden, is_training=False, scale=True), 3)


@call
def batch_norm_images(c):
    hidden = c.layers.batch_norm(c.floats(3, 4, 4, 2), decay=0.9, activation_fn=c.tf.nn.relu)
    hidden = c.layers.batch_norm(c.layers.conv2d(hidden, 2, 3), scale=True, center=False, is_training=c.booleans(True))
    return c.mixed(hidden)


@call
def batch_norm_in_place(c):
    hidden = c.layers.batch_norm(c.floats(4, 5), 0.9, updates_collections=None, is_training=c.booleans(True))
    images = c.layers.batch_norm(c.floats(4, 3, 3, 2), updates_collections=None, scale=True, scope="bn")
    return c.layers.fully_connected(hidden, 2) + c.layers.fully_connected(c.layers.flatten(images), 2)


@call
def batch_norm_not_fused(c):
    hidden = c.layers.batch_norm(c.floats(4, 5), fused=False, scale=True, updates_collections=None)
    images = c.layers.batch_norm(c.floats(4, 3, 3, 2), fused=False, is_training=c.booleans(False))
    return c.layers.fully_connected(hidden, 2) + c.layers.fully_connected(c.layers.flatten(images), 2)


@call
def batch_norm_rank3(c):
    return c.layers.batch_norm(c.floats(4, 3, 5), updates_collections="updates")


@call
def batch_norm_parameters(c):
    initializers = {"beta": c.tf.random_normal_initializer(), "gamma": c.tf.random_uniform_initializer(0.5, 2.0),
                    "moving_mean": c.tf.ones_initializer()}
    return c.layers.batch_norm(c.floats(4, 5), scale=True, param_initializers=initializers,
                               zero_debias_moving_mean=True,
                               param_regularizers={"gamma": c.layers.l2_regularizer(0.1)})


@call
def batch_norm_reuse(c):
    first = c.layers.batch_norm(c.floats(4, 5), scope="bn")
    # in a collection of its own: two updates of one variable would run in any order
    second = c.layers.batch_norm(c.floats(4, 5), scope="bn", reuse=True, updates_collections="others")
    return c.mixed(first + second)


@call
def batch_norm_renorm(c):
    return c.layers.batch_norm(c.floats(4, 5), renorm=True, renorm_decay=0.9)


@call
def layer_norm(c):
    hidden = c.layers.layer_norm(c.layers.fully_connected(c.floats(4, 5), 6))
    images = c.layers.layer_norm(c.floats(4, 3, 3, 2), center=False, activation_fn=c.tf.nn.relu, scope="images")
    return c.layers.fully_connected(hidden, 2) + c.layers.fully_connected(c.layers.flatten(images), 2)


@call
def layer_norm_axes(c):
    return c.layers.layer_norm(c.floats(2, 3, 4, 2), begin_norm_axis=2, begin_params_axis=2)


@call
def instance_norm(c):
    return c.mixed(c.layers.instance_norm(c.layers.conv2d(c.floats(2, 4, 4, 3), 2, 3), activation_fn=c.tf.nn.relu))


@call
def group_norm(c):
    return c.mixed(c.layers.group_norm(c.layers.conv2d(c.floats(2, 4, 4, 3), 4, 3), groups=2))


@call
def bias_add(c):
    return c.layers.bias_add(c.floats(3, 5), activation_fn=c.tf.nn.relu, regularizer=c.layers.l2_regularizer(0.1),
                             initializer=c.tf.random_normal_initializer())


@call
def one_hot_encoding(c):
    return c.layers.fully_connected(c.layers.one_hot_encoding(c.integers(5, 6), 5), 3)


@call
def embed_sequence(c):
    return c.layers.embed_sequence(c.integers(7, 3, 4), 7, 5, regularizer=c.layers.l2_regularizer(0.1), scope="words")


@call
def embed_sequence_unique(c):
    return c.layers.embed_sequence(c.integers(7, 3, 4), vocab_size=7, embed_dim=5, unique=True)


@call
def bow_encoder(c):
    ids = c.integers(7, 3, 4)
    return c.layers.bow_encoder(ids, 7, 5) + c.layers.bow_encoder(ids, 7, 5, sparse_lookup=False, scope="dense")


@call
def embedding_lookup_unique(c):
    table = c.tf.get_variable("table", [7, 3], initializer=c.layers.xavier_initializer())
    return c.layers.embedding_lookup_unique(table, c.integers(7, 3, 4))


@call
def safe_embedding_lookup_sparse(c):
    tf = c.tf
    table = tf.get_variable("table", [7, 3], initializer=c.layers.xavier_initializer())
    ids = tf.SparseTensor([[0, 0], [0, 1], [2, 0], [3, 1]], tf.constant([1, 3, -1, 6], tf.int64), [5, 2])
    return c.layers.safe_embedding_lookup_sparse([table], ids, combiner="mean", default_id=2)


@call
def initializers(c):
    make = [c.layers.xavier_initializer(), c.layers.xavier_initializer(uniform=False),
            c.layers.xavier_initializer_conv2d(), c.layers.variance_scaling_initializer(),
            c.layers.variance_scaling_initializer(1.0, "FAN_AVG", uniform=True),
            c.layers.variance_scaling_initializer(1.5, "FAN_OUT"), c.layers.xavier_initializer(seed=3)]
    matrices = [c.tf.get_variable(f"matrix{k}", [4, 3], initializer=one) for k, one in enumerate(make)]
    kernels = [c.tf.get_variable(f"kernel{k}", [3, 3, 2, 3], initializer=one) for k, one in enumerate(make)]
    vector = c.tf.get_variable("vector", [3], initializer=make[0])
    return c.tf.add_n(matrices) + vector + c.tf.reduce_mean(c.tf.add_n(kernels), [0, 1, 2])


@call
def initializers_as_tensors(c):
    tf = c.tf
    first = tf.Variable(c.layers.xavier_initializer()([4, 3]), name="first")
    return first + tf.Variable(c.layers.variance_scaling_initializer(factor=1.0)(shape=[4, 3]), name="second")


@call
def regularizers(c):
    both = c.layers.l1_l2_regularizer(0.1, 0.2)
    total = c.layers.sum_regularizer([c.layers.l1_regularizer(0.1), c.layers.l2_regularizer(0.3), None])
    first = c.tf.get_variable("first", [4, 3], regularizer=both)
    second = c.tf.get_variable("second", [4, 3], regularizer=total)
    third = c.tf.get_variable("third", [4, 3], regularizer=c.layers.l2_regularizer(0.0))
    c.layers.apply_regularization(c.layers.l2_regularizer(0.1), [third])
    return first + second + third


@call
def apply_regularization(c):
    c.layers.fully_connected(c.floats(3, 5), 4, variables_collections={"weights": ["weights"]})
    return c.layers.apply_regularization(c.layers.l1_regularizer(0.1))


@call
def stack_repeat(c):
    hidden = c.layers.stack(c.floats(3, 5), c.layers.fully_connected, [4, 3], scope="fc")
    images = c.layers.repeat(c.floats(3, 4, 4, 2), 2, c.layers.conv2d, 3, [3, 3], scope="conv")
    images = c.layers.repeat(images, 2, c.layers.conv2d, 2, [1, 1])
    return c.layers.stack(hidden, c.layers.linear, [4, 2]) + c.layers.linear(c.layers.flatten(images), 2)


@call
def stack_of_tuples(c):
    return c.layers.stack(c.floats(3, 5, 5, 2), c.layers.conv2d, [(3, [3, 3]), (2, [1, 1], 2)])


@call
def unit_norm(c):
    return c.mixed(c.layers.unit_norm(c.layers.fully_connected(c.floats(3, 5), 4), 1))


@call
def maxout(c):
    return c.layers.maxout(c.layers.linear(c.floats(3, 5), 6), 2)


@call
def softmax(c):
    return c.layers.softmax(c.layers.linear(c.floats(2, 3, 5), 4))


@call
def images_to_sequence(c):
    return c.layers.sequence_to_images(c.layers.images_to_sequence(c.floats(2, 3, 4, 5)), 3)


@call
def spatial_softmax(c):
    return c.layers.spatial_softmax(c.layers.conv2d(c.floats(2, 4, 5, 2), 3, 3))


@call
def spatial_softmax_temperature(c):
    return c.layers.spatial_softmax(c.layers.conv2d(c.floats(2, 4, 5, 2), 3, 3), temperature=0.5)


@call
def scale_gradient(c):
    return c.layers.fully_connected(c.layers.scale_gradient(c.layers.linear(c.floats(3, 5), 4), 0.1), 2)


@call
def arg_scope(c):
    arg_scope, layers = c.tf.contrib.framework.arg_scope, c.layers
    with arg_scope([layers.conv2d, layers.fully_connected], activation_fn=c.tf.nn.elu,
                   weights_regularizer=layers.l2_regularizer(0.1)) as scope:
        with arg_scope([layers.conv2d], padding="VALID", normalizer_fn=layers.batch_norm):
            hidden = layers.conv2d(c.floats(2, 5, 5, 2), 3, 3)
    with arg_scope(scope):
        with arg_scope([layers.batch_norm], is_training=False, scale=True):
            hidden = layers.batch_norm(hidden)
        return layers.fully_connected(layers.flatten(hidden), 3)


@call
def optimize_loss(c):
    hidden = c.layers.fully_connected(c.floats(3, 5), 4, normalizer_fn=c.layers.batch_norm)
    loss = c.tf.reduce_mean(c.tf.square(hidden))
    step = c.tf.train.get_or_create_global_step()
    return c.layers.optimize_loss(loss, step, 0.1, "SGD", clip_gradients=0.5) + c.layers.linear(c.floats(3, 2), 1)


@call
def optimize_loss_options(c):
    tf = c.tf
    loss = tf.reduce_mean(tf.square(c.layers.linear(c.floats(3, 5), 4)))
    return c.layers.optimize_loss(
        loss, tf.train.create_global_step(), learning_rate=0.1, optimizer=tf.train.AdamOptimizer, name="train",
        learning_rate_decay_fn=lambda rate, step: tf.train.exponential_decay(rate, step, 10, 0.5),
        summaries=["loss", "learning_rate", "gradient_norm", "global_gradient_norm"], gradient_noise_scale=0.1,
        gradient_multipliers={"fully_connected/weights:0": 2.0})


@call
def summaries(c):
    hidden = c.layers.fully_connected(c.floats(3, 5), 4, outputs_collections="activations")
    c.layers.summarize_activation(hidden)
    c.layers.summarize_tensor(c.tf.reduce_mean(hidden), "mean")
    c.layers.summarize_tensors(c.tf.trainable_variables())
    c.layers.summarize_activations()
    c.layers.summarize_collection("trainable_variables", name_filter="weights")
    return hidden

"""Programs of tf.contrib.opt: twenty steps in the graph of a dense and a sparse variable, and what they come to."""
import numpy as np

from tests.tf115.contrib_programs import call


def _steps(c, make, n_steps=20, sparse=True, **options):
    """Return the losses of steps in the graph, one after the other; the variables are for this optimizer alone."""
    tf = c.tf
    dense = tf.get_variable("dense", [4, 3], trainable=False, initializer=c.layers.xavier_initializer())
    table = tf.get_variable("table", [6, 3], trainable=False, initializer=tf.random_normal_initializer())
    x, ids, y = c.fixed(5, 4), c.integers(6, 5), c.fixed(5, 3)
    optimizer, losses, done = make(), [], []
    for _ in range(n_steps):
        with tf.control_dependencies(done):
            weights, rows = dense.read_value(), tf.gather(table.read_value(), ids)
            loss = tf.reduce_mean(tf.square(tf.matmul(x, weights) + rows - y))
            gradients = tf.gradients(loss, [weights, rows])
            pairs = [(gradients[0], dense)]
            if sparse:
                pairs.append((tf.IndexedSlices(gradients[1], ids, tf.constant([6, 3])), table))
            with tf.control_dependencies([loss] + gradients):  # weights decay without waiting for the gradient
                done = [optimizer.apply_gradients(pairs, **options)]
            losses.append(loss)
    return tf.stack(losses), optimizer


def _program(name, make, **options):
    def program(c):
        return _steps(c, lambda: make(c.tf.contrib.opt, c.tf), **options)[0]

    program.__name__ = "opt_" + name
    call(program)


_program("LazyAdam", lambda opt, tf: opt.LazyAdamOptimizer(0.05))
_program("Nadam", lambda opt, tf: opt.NadamOptimizer(0.05))
_program("AdamGS", lambda opt, tf: opt.AdamGSOptimizer(tf.train.get_or_create_global_step(), 0.05))
_program("LazyAdamGS", lambda opt, tf: opt.LazyAdamGSOptimizer(3, 0.05))
_program("Multitask", lambda opt, tf: opt.MultitaskOptimizerWrapper(tf.train.MomentumOptimizer(0.05, 0.9)))
_program("AdaMax", lambda opt, tf: opt.AdaMaxOptimizer(0.05))
_program("AdamW", lambda opt, tf: opt.AdamWOptimizer(0.01, learning_rate=0.05))
_program("MomentumW", lambda opt, tf: opt.MomentumWOptimizer(0.01, 0.05, 0.9, use_nesterov=True))
_program("decoupled", lambda opt, tf: opt.extend_with_decoupled_weight_decay(tf.train.GradientDescentOptimizer)(
    weight_decay=0.02, learning_rate=0.1))
_program("AddSign", lambda opt, tf: opt.AddSignOptimizer(0.02), sparse=False)
_program("PowerSign", lambda opt, tf: opt.PowerSignOptimizer(0.02, base=2.0), sparse=False)
_program("LARS", lambda opt, tf: opt.LARSOptimizer(0.5, eeta=0.1), sparse=False)
_program("VariableClipping", lambda opt, tf: opt.VariableClippingOptimizer(
    tf.train.GradientDescentOptimizer(0.5), {variable: [0] for variable in tf.global_variables()}, 0.4))


@call
def opt_AdamW_some(c):
    tf = c.tf
    optimizer = tf.contrib.opt.AdamWOptimizer(0.1)
    losses, _ = _steps(c, lambda: optimizer, decay_var_list=[])
    return losses


@call
def opt_Multitask_zeros(c):
    tf, opt = c.tf, c.tf.contrib.opt
    seen, missing = (tf.get_variable(name, [3], trainable=False, initializer=tf.ones_initializer())
                     for name in ("seen", "missing"))
    optimizer = opt.MultitaskOptimizerWrapper(tf.train.MomentumOptimizer(0.5, 0.9))
    is_there = c.booleans(True)
    pairs = [(c.fixed(3), seen), (tf.cast(is_there, tf.float32) * c.fixed(3), missing),
             (None, tf.Variable(1.0, trainable=False))]
    pairs, norm = opt.clip_gradients_by_global_norm(pairs, 0.7)
    drawn = tf.get_variable("drawn", [4], trainable=False, initializer=tf.random_normal_initializer())
    step = optimizer.apply_gradients(pairs)

    def steps(session):
        found = []
        for there in (True, False, True):
            session.run(step, {**c.feeds, is_there: there})
            found += session.run([seen, missing])
        return np.concatenate(found)

    c.questions["steps"] = steps
    return norm + tf.reduce_sum(drawn)


@call
def opt_MovingAverage(c):
    tf = c.tf
    losses, optimizer = _steps(c, lambda: tf.contrib.opt.MovingAverageOptimizer(tf.train.AdamOptimizer(0.05), 0.8),
                               n_steps=1)
    saver = optimizer.swapping_saver()
    names = {variable.op.name for variable in saver._var_list} if isinstance(saver._var_list, list) else {
        f"{key}={value.op.name}" for key, value in saver._var_list.items()}
    c.questions["swapped"] = lambda session: np.array([sum(map(ord, "".join(sorted(names)))), len(names)])
    averages = [variable for variable in tf.global_variables() if "ExponentialMovingAverage" in variable.op.name]

    def ten_steps(session):
        trace = [session.run(losses, c.feeds) for _ in range(10)]
        return np.concatenate([value.ravel() for value in trace + session.run(averages)])

    c.questions["averages"] = ten_steps
    return losses


@call
def opt_Scipy(c):
    tf = c.tf
    vector = tf.get_variable("vector", [3], trainable=False, initializer=tf.constant_initializer([7.0, 7.0, -2.0]))
    other = tf.get_variable("other", [2, 2], trainable=False, initializer=tf.ones_initializer())
    target = c.fixed(2, 2)
    loss = tf.reduce_sum(tf.square(vector - [1.0, 2.0, 3.0])) + tf.reduce_sum((other - target) ** 2) / 2.0
    bounded = tf.contrib.opt.ScipyOptimizerInterface(loss, [vector, other], var_to_bounds={vector: (0.5, 2.5)})
    constrained = tf.contrib.opt.ScipyOptimizerInterface(
        loss, [vector, other], equalities=[vector[1] - 1.5], inequalities=[vector[0] - 2.0], method="SLSQP",
        options={"maxiter": 50})
    seen = []

    def minimize(session):
        bounded.minimize(session, feed_dict=c.feeds, fetches=[loss], loss_callback=lambda value: seen.append(1),
                         step_callback=lambda values: seen.append(len(values)))
        first = session.run([vector, other])
        constrained.minimize(session, feed_dict=c.feeds)
        assert 1 in seen and 7 in seen
        return np.concatenate([value.ravel() for value in first + session.run([vector, other])])

    c.questions["found"] = minimize
    return loss

"""Programs of tf.contrib.framework."""
import numpy as np

from tests.tf115.contrib_programs import call


@call
def framework_variables(c):
    framework, tf = c.tf.contrib.framework, c.tf
    with tf.variable_scope("model"):
        first = framework.model_variable("first", [3, 4], initializer=c.layers.xavier_initializer(),
                                         regularizer=c.layers.l2_regularizer(0.1))
        second = framework.variable("second", [4], initializer=tf.zeros_initializer(), trainable=False)
    framework.local_variable(tf.zeros([2]), name="third")
    framework.global_variable(tf.zeros([2]), name="fourth")
    assert [v.op.name for v in framework.get_variables("model", "first")] == ["model/first"]
    assert [v.op.name for v in framework.get_variables_by_name("second")] == ["model/second"]
    assert framework.get_unique_variable("model/second") is second
    assert [v.op.name for v in framework.get_variables_to_restore(exclude=["model/first"])] == [
        "model/second", "fourth"]
    assert [v.op.name for v in framework.get_model_variables()] == ["model/first"]
    assert [v.op.name for v in framework.get_local_variables()] == ["third"]
    return first + second


@call
def framework_checks(c):
    framework, tf = c.tf.contrib.framework, c.tf
    step = framework.get_or_create_global_step()
    assert framework.get_global_step() is step
    hidden = framework.with_shape([3, 5], c.floats(3, 5))
    return framework.with_same_shape(hidden, c.floats(3, 5)) + framework.smart_cond(
        c.booleans(True), lambda: tf.ones([5]), lambda: tf.zeros([5]))


@call
def framework_others(c):
    framework, tf = c.tf.contrib.framework, c.tf
    with tf.variable_scope("a") as scope:
        first = framework.variable("x", [2], initializer=tf.ones_initializer())
        second = framework.model_variable("y", [2], initializer=tf.ones_initializer())
        third = tf.get_variable("z", [2], initializer=tf.ones_initializer(), trainable=False)
    names = [[one.op.name for one in found] for found in (
        framework.get_trainable_variables(scope), framework.get_variables_by_suffix("y"),
        framework.filter_variables([first, second, third], ["a/[xz]"], ["z"]), framework.get_variables("a/z"))]
    assert names == [["a/x", "a/y"], ["a/y"], ["a/x"], ["a/z"]], names
    framework.add_model_variable(third)
    framework.add_model_variable(third)
    assert framework.get_variable_full_name(third) == "a/z" and framework.get_name_scope() == ""
    assert framework.is_tensor(first) and not framework.is_tensor(3)
    chooser = framework.VariableDeviceChooser(num_tasks=2)
    assert [chooser(first.op) for _ in range(3)] == [f"/job:ps/task:{k}/device:CPU:0" for k in (0, 1, 0)]
    assert framework.assert_same_float_dtype([first, second]) == tf.float32
    framework.assert_scalar_int(tf.constant(3))
    step = framework.create_global_step()
    framework.assert_global_step(step)
    assert framework.assert_or_get_global_step() is step
    operation, feeds = framework.assign_from_values({"a/x": np.array([3.0, 4.0], np.float32)})
    c.feeds.update(feeds)
    placeholder = c.floats(3, 2)
    assert placeholder in framework.get_placeholders(tf.get_default_graph())
    predictions, labels = framework.remove_squeezable_dimensions(placeholder, c.floats(3, 2, 1))
    doubled = framework.py_func(lambda value: value * 2, args=(predictions,), output_types=tf.float32,
                                output_shapes=tf.TensorShape([None, 2]))
    with tf.control_dependencies([operation]):
        return doubled + labels + tf.identity(third) + second


@call
def framework_sort(c):
    framework, values = c.tf.contrib.framework, c.floats(3, 5)
    order = framework.argsort(values, direction="DESCENDING")
    return framework.sort(values) + c.tf.cast(order, c.tf.float32)


@call
def framework_reduce_sum_n(c):
    return c.tf.contrib.framework.reduce_sum_n([c.layers.linear(c.floats(3, 5), 4), c.floats(3, 4)])

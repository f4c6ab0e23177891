"""slim.learning of TensorFlow 1.15: create_train_op and train, for one process.

Source of every name: tf.contrib.slim.python.slim.learning of TensorFlow 1.15.5.
"""
from __future__ import annotations

import time

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1 import contrib as _contrib
from tf1_autoencoders.tensorflow1.contrib import training as _training
from tf1_autoencoders.tensorflow1.contrib.training import (  # noqa: F401
    add_gradients_summaries,
    clip_gradient_norms,
    multiply_gradients,
)

_USE_DEFAULT = 0


def create_train_op(total_loss, optimizer, global_step=_training._USE_GLOBAL_STEP, update_ops=None,
                    variables_to_train=None, clip_gradient_norm=0, summarize_gradients=False,
                    gate_gradients=tf.train.Optimizer.GATE_OP, aggregation_method=None,
                    colocate_gradients_with_ops=False, gradient_multipliers=None, check_numerics=True):
    """Return the loss, float[]; computing it also makes one step of training.

    Args:
        clip_gradient_norm: norm to which each gradient is clipped; 0 for no clipping.
        gradient_multipliers: {variable or its name: number}, applied before the clipping.
        others: as for contrib.training.create_train_op.
    """
    def transform(pairs):
        if gradient_multipliers:
            with tf.name_scope("multiply_grads"):
                pairs = multiply_gradients(pairs, gradient_multipliers)
        if clip_gradient_norm > 0:
            with tf.name_scope("clip_grads"):
                pairs = clip_gradient_norms(pairs, clip_gradient_norm)
        return pairs

    return _training.create_train_op(
        total_loss=total_loss, optimizer=optimizer, global_step=global_step, update_ops=update_ops,
        variables_to_train=variables_to_train, transform_grads_fn=transform, summarize_gradients=summarize_gradients,
        gate_gradients=gate_gradients, aggregation_method=aggregation_method,
        colocate_gradients_with_ops=colocate_gradients_with_ops, check_numerics=check_numerics)


def train_step(sess, train_op, global_step, train_step_kwargs):
    """Make one step of training and log it.

    Args:
        sess: session.
        train_op: tensor, see create_train_op.
        global_step: int[] variable.
        train_step_kwargs: `should_stop` bool[] tensor, `should_log` bool[] tensor, `logdir` (all optional).

    Returns:
        (loss, whether to stop).
    """
    start = time.time()
    loss, step = sess.run([train_op, global_step])
    elapsed = time.time() - start
    if "should_log" in train_step_kwargs and sess.run(train_step_kwargs["should_log"]):
        tf.logging.info("global step %d: loss = %.4f (%.3f sec/step)", step, loss, elapsed)
    should_stop = "should_stop" in train_step_kwargs and bool(sess.run(train_step_kwargs["should_stop"]))
    return loss, should_stop


def train(train_op, logdir, train_step_fn=train_step, train_step_kwargs=_USE_DEFAULT, log_every_n_steps=1, graph=None,
          master="", is_chief=True, global_step=None, number_of_steps=None, init_op=_USE_DEFAULT, init_feed_dict=None,
          local_init_op=_USE_DEFAULT, init_fn=None, ready_op=_USE_DEFAULT, summary_op=_USE_DEFAULT,
          save_summaries_secs=600, summary_writer=_USE_DEFAULT, startup_delay_steps=0, saver=None,
          save_interval_secs=600, sync_optimizer=None, session_config=None, session_wrapper=None,
          trace_every_n_steps=None, ignore_live_threads=False):
    """Train until number_of_steps, save a checkpoint and return the last loss, float.

    A checkpoint of an earlier run in `logdir` is continued. Queue runners are started and stopped.

    Args:
        train_op: tensor, see create_train_op.
        logdir: folder of checkpoints and summaries; None for none.
        train_step_fn: function of (session, train_op, global_step, train_step_kwargs) that returns (loss, stop).
        train_step_kwargs: a dictionary for it; by default with `should_stop`, `should_log` and `logdir`.
        log_every_n_steps: a line through tf.logging.info every so many steps.
        graph: None for the default graph.
        global_step: None for the graph's.
        number_of_steps: total number of steps, those of earlier runs included; None for no end.
        init_op, init_feed_dict, local_init_op, init_fn, ready_op: how variables get their first values.
        summary_op, save_summaries_secs, summary_writer: which summaries are written, and how often.
        saver, save_interval_secs: tf.train.Saver, and how often a checkpoint is saved.
        session_config, session_wrapper: of the session.
        ignore_live_threads: whether threads may live on when the training ends.

    Raises:
        ValueError: train_op is missing, number_of_steps is not positive, or an option needs several processes.

    Source: options of several processes (master, sync_optimizer, startup_delay_steps) and trace_every_n_steps are not
    offered.
    """
    if train_op is None:
        raise ValueError("train_op cannot be None.")
    if sync_optimizer is not None or master or not is_chief or startup_delay_steps or trace_every_n_steps:
        raise ValueError("slim.learning.train: one process is offered; leave master, is_chief, sync_optimizer, "
                         "startup_delay_steps and trace_every_n_steps out")
    if number_of_steps is not None and number_of_steps <= 0:
        raise ValueError(f"`number_of_steps` must be either None or a positive number; got {number_of_steps}.")
    if logdir is None:
        for what, value in (("summary_op", summary_op), ("saver", saver)):
            if value not in (None, _USE_DEFAULT):
                raise ValueError(f"Cannot provide {what} because logdir=None")
    graph = graph or tf.get_default_graph()
    with graph.as_default():
        if global_step is None:
            global_step = tf.train.get_or_create_global_step()
        saver = saver or tf.train.Saver()
        with tf.name_scope("init_ops"):
            if init_op is _USE_DEFAULT:
                init_op = tf.global_variables_initializer()
            if ready_op is _USE_DEFAULT:
                ready_op = tf.report_uninitialized_variables()
            if local_init_op is _USE_DEFAULT:
                local_init_op = tf.group(tf.local_variables_initializer(), tf.tables_initializer())
        if summary_op is _USE_DEFAULT:
            summary_op = tf.summary.merge_all()
        if train_step_kwargs is _USE_DEFAULT:
            with tf.name_scope("train_step"):
                train_step_kwargs = {"logdir": logdir} if logdir else {}
                if number_of_steps:
                    train_step_kwargs["should_stop"] = tf.greater_equal(global_step, number_of_steps)
                if log_every_n_steps > 0:
                    train_step_kwargs["should_log"] = tf.equal(tf.mod(global_step, log_every_n_steps), 0)
    options = {} if summary_writer is _USE_DEFAULT else {"summary_writer": summary_writer}
    supervisor = tf.train.Supervisor(
        graph=graph, is_chief=True, logdir=logdir, init_op=init_op, init_feed_dict=init_feed_dict,
        local_init_op=local_init_op, ready_for_local_init_op=None, ready_op=ready_op, summary_op=summary_op,
        global_step=global_step, saver=saver, save_summaries_secs=save_summaries_secs or 0,
        save_model_secs=save_interval_secs or 0, init_fn=init_fn, **options)
    loss = None
    with supervisor.managed_session(master, start_standard_services=False, config=session_config) as session:
        tf.logging.info("Starting Session.")
        if session_wrapper is not None:
            session = session_wrapper(session)
        if logdir:
            supervisor.start_standard_services(session)
        threads = supervisor.start_queue_runners(session)
        tf.logging.info("Starting Queues.")
        try:
            while not supervisor.should_stop():
                loss, should_stop = train_step_fn(session, train_op, global_step, train_step_kwargs)
                if should_stop:
                    tf.logging.info("Stopping Training.")
                    supervisor.request_stop()
                    break
        except tf.errors.OutOfRangeError as error:
            tf.logging.info("Caught OutOfRangeError. Stopping Training. %s", error)
        if logdir:
            tf.logging.info("Finished training! Saving model to disk.")
            supervisor.saver.save(session, supervisor.save_path, global_step=supervisor.global_step)
            supervisor.stop(threads, close_summary_writer=True, ignore_live_threads=ignore_live_threads)
    return loss


__getattr__ = _contrib.explain_missing(__name__)

"""slim.evaluation of TensorFlow 1.15: evaluate a checkpoint, once or whenever a new one appears.

Source of every name: tf.contrib.slim.python.slim.evaluation of TensorFlow 1.15.5.
"""
from __future__ import annotations

import time

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1 import contrib as _contrib
from tf1_autoencoders.tensorflow1.contrib.training import checkpoints_iterator, wait_for_new_checkpoint  # noqa: F401

_USE_DEFAULT = 0


def evaluate_once(master, checkpoint_path, logdir, num_evals=1, initial_op=None, initial_op_feed_dict=None,
                  eval_op=None, eval_op_feed_dict=None, final_op=None, final_op_feed_dict=None, summary_op=_USE_DEFAULT,
                  summary_op_feed_dict=None, variables_to_restore=None, session_config=None, hooks=None):
    """Restore a checkpoint, run eval_op num_evals times, write the summaries and return the value of final_op.

    Args:
        master: "" for this process.
        checkpoint_path: path of the checkpoint.
        logdir: folder of the summaries.
        num_evals: how often eval_op runs.
        initial_op, eval_op, final_op: what runs before, repeatedly and after; each with its feed_dict.
        summary_op: what is written; None for nothing, by default all summaries of the graph.
        variables_to_restore: None for all global variables.
        session_config: of the session.
        hooks: None.

    Variables that are not restored get their initial values. Queue runners are started and stopped.

    Raises:
        ValueError: `logdir` is missing although there is something to write, or hooks are given.
    """
    if hooks:
        raise ValueError("slim.evaluation: hooks are not offered; run what they do as initial_op or final_op")
    if summary_op is _USE_DEFAULT:
        summary_op = tf.summary.merge_all()
    if summary_op is not None and not logdir:
        raise ValueError("slim.evaluation: the summaries need a logdir")
    global_step = tf.train.get_or_create_global_step()
    saver = tf.train.Saver(variables_to_restore or tf.global_variables())
    start = [tf.global_variables_initializer(), tf.local_variables_initializer(), tf.tables_initializer()]
    coordinator = tf.train.Coordinator()
    with tf.Session(master, config=session_config) as session:
        session.run(start)
        saver.restore(session, checkpoint_path)
        threads = tf.train.start_queue_runners(session, coordinator)
        try:
            if initial_op is not None:
                session.run(initial_op, initial_op_feed_dict)
            for _ in range(num_evals if eval_op is not None else 0):
                session.run(eval_op, eval_op_feed_dict)
            if summary_op is not None:
                summary, step = session.run([summary_op, global_step], summary_op_feed_dict)
                with tf.summary.FileWriter(logdir) as writer:
                    writer.add_summary(summary, step)
            return None if final_op is None else session.run(final_op, final_op_feed_dict)
        finally:
            coordinator.request_stop()
            coordinator.join(threads, stop_grace_period_secs=10)


def evaluation_loop(master, checkpoint_dir, logdir, num_evals=1, initial_op=None, initial_op_feed_dict=None,
                    init_fn=None, eval_op=None, eval_op_feed_dict=None, final_op=None, final_op_feed_dict=None,
                    summary_op=_USE_DEFAULT, summary_op_feed_dict=None, variables_to_restore=None,
                    eval_interval_secs=60, max_number_of_evaluations=None, session_config=None, timeout=None,
                    timeout_fn=None, hooks=None):
    """Evaluate each new checkpoint of a folder, see evaluate_once; return the last value of final_op.

    Args:
        checkpoint_dir: folder of the checkpoints.
        eval_interval_secs: least time between two evaluations.
        max_number_of_evaluations: None for no end.
        timeout, timeout_fn: after so many seconds without a new checkpoint, the loop ends if timeout_fn (None: always)
            says so.
    """
    value, n_done = None, 0
    for path in checkpoints_iterator(checkpoint_dir, eval_interval_secs, timeout, timeout_fn):
        tf.logging.info("Starting evaluation at %s", time.strftime("%Y-%m-%d-%H:%M:%S", time.gmtime()))
        value = evaluate_once(master, path, logdir, num_evals, initial_op, initial_op_feed_dict, eval_op,
                              eval_op_feed_dict, final_op, final_op_feed_dict, summary_op, summary_op_feed_dict,
                              variables_to_restore, session_config, hooks)
        n_done += 1
        if max_number_of_evaluations is not None and n_done >= max_number_of_evaluations:
            break
    return value


__getattr__ = _contrib.explain_missing(__name__)

"""tf.contrib.learn of TensorFlow 1.15: its data sets and its preprocessing of text; its estimators are not offered.

Source of every name: tf.contrib.learn of TensorFlow 1.15.5.
"""
from __future__ import annotations

from tf1_autoencoders.tensorflow1 import contrib as _contrib
from tf1_autoencoders.tensorflow1.contrib.learn import datasets, preprocessing  # noqa: F401


class ModeKeys:
    """Names of what a model is built for."""

    TRAIN, EVAL, INFER = "train", "eval", "infer"


_ESTIMATORS = "Estimators left TensorFlow with 2.16; tf.keras or a session of your own trains the same network"
_REFUSED = dict.fromkeys((
    "BaseEstimator", "DNNClassifier", "DNNEstimator", "DNNLinearCombinedClassifier", "DNNLinearCombinedEstimator",
    "DNNLinearCombinedRegressor", "DNNRegressor", "DynamicRnnEstimator", "Estimator", "Evaluable", "Experiment",
    "ExportStrategy", "Head", "InputFnOps", "KMeansClustering", "LinearClassifier", "LinearEstimator",
    "LinearRegressor", "LogisticRegressor", "MetricSpec", "ModelFnOps", "PredictionKey", "ProblemType", "RunConfig",
    "SKCompat", "SVM", "TaskType", "Trainable", "estimators", "learn_runner", "make_export_strategy", "models",
    "monitors", "infer_real_valued_columns_from_input"), _ESTIMATORS)
_REFUSED.update(dict.fromkeys(("graph_actions", "run_n", "run_feeds", "train", "evaluate", "infer"),
                              "a session runs the operations: tf.Session and session.run"))
_REFUSED.update(dict.fromkeys(("read_batch_examples", "read_batch_features", "read_batch_record_features", "io",
                               "read_keyed_batch_examples", "read_keyed_batch_features", "extract_pandas_data",
                               "extract_pandas_labels", "extract_pandas_matrix", "extract_dask_data",
                               "extract_dask_labels"), "tf.data and pandas read the same data"))
__getattr__ = _contrib.explain_missing(__name__, ("learn",), _REFUSED)

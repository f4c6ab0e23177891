"""tf.contrib.opt of TensorFlow 1.15: further optimizers, and SciPy's.

Source of every name: tf.contrib.opt of TensorFlow 1.15.5; the papers stand in the docstrings. `learning_rate` is a
float or float[], `use_locking` whether updates lock their variables, `name` the name of the operations and slots.
"""
from __future__ import annotations

from tf1_autoencoders.tensorflow1 import contrib as _contrib
from tf1_autoencoders.tensorflow1.contrib.opt.adam import *  # noqa: F401, F403
from tf1_autoencoders.tensorflow1.contrib.opt.around import *  # noqa: F401, F403
from tf1_autoencoders.tensorflow1.contrib.opt.external import *  # noqa: F401, F403
from tf1_autoencoders.tensorflow1.contrib.opt.signs import *  # noqa: F401, F403
from tf1_autoencoders.tensorflow1.contrib.opt.weight_decay import *  # noqa: F401, F403

_SERVERS = "it trained on several parameter servers; tf.train.SyncReplicasOptimizer is the one that is left"
_UNUSED = "hardly any public program uses it; tf.train.AdagradOptimizer "
_REFUSED = dict.fromkeys(("AGNCustomGetter", "AGNOptimizer", "DropStaleGradientOptimizer", "ElasticAverageCustomGetter",
                          "ElasticAverageOptimizer", "ModelAverageCustomGetter", "ModelAverageOptimizer"), _SERVERS)
_REFUSED.update(GGTOptimizer="tf.train.AdagradOptimizer keeps the diagonal of the same matrix",
                RegAdagradOptimizer=_UNUSED + "with a second loss for the regularisation is near it",
                ShampooOptimizer=_UNUSED + "keeps the diagonal of the same matrices")
_INNER = ("training", "adamax", "addsign", "external_optimizer", "lars_optimizer", "lazy_adam_optimizer",
          "moving_average_optimizer", "multitask_optimizer_wrapper", "nadam_optimizer", "powersign",
          "variable_clipping_optimizer", "weight_decay_optimizers")
__getattr__ = _contrib.explain_missing(__name__, _INNER, _REFUSED)

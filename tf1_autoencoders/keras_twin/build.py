"""Parts of a Keras twin: optimisers and upsampling layers, as Keras has them and as exact as TensorFlow 1's.

The prefix `tf1` elsewhere marks graph code. In this file it marks the operations that the graph uses too. Keras runs
them eagerly or compiles them, so that the twin rounds as the graph does.
"""
from __future__ import annotations

from typing import Any, Optional

import numpy as np

from tf1_autoencoders.utils.frameworks import keras, tf1

BETA_1, BETA_2 = 0.9, 0.999  # the defaults of tf1.train.AdamOptimizer, and of Keras
TF1_EPSILON, KERAS_EPSILON = 1e-8, 1e-7  # the default epsilon of Adam in each


def keras_adam(learning_rate: Any, epsilon: float = TF1_EPSILON) -> Any:
    """Return Keras's own Adam with the constants of tf1.train.AdamOptimizer.

    The betas are rounded to float32 first, as a TensorFlow 1
    graph does, because Keras computes 1 - beta in double precision.

    Args:
        learning_rate: float, or a Keras schedule.
        epsilon: constant that keeps the divisor of a step from zero.
    """
    return keras.optimizers.Adam(learning_rate, beta_1=float(np.float32(BETA_1)), beta_2=float(np.float32(BETA_2)),
                                 epsilon=epsilon)


def keras_cosine_decay(learning_rate: float, n_steps: Optional[int]) -> Any:
    """Return the rate of graphs.layers.cosine_decay as a Keras schedule; the float itself if n_steps is None."""
    return learning_rate if n_steps is None else keras.optimizers.schedules.CosineDecay(learning_rate, n_steps)


def keras_upsampling(name: str) -> Any:
    """Return Keras's layer that doubles height and width: [batch, h, w, c] -> [batch, 2 h, 2 w, c].

    Its gradient adds the gradients of the four pixels in another order than the graph's, and so differs by rounding.
    """
    return keras.layers.UpSampling2D((2, 2), name=name)


def exact_upsampling(name: str) -> Any:
    """Return the layer of keras_upsampling with the graph's operation, so that gradients are bit-identical too."""
    def resize(x: Any) -> Any:  # tf1: the operation of graphs.layers.upsample
        return tf1.image.resize_nearest_neighbor(x, [2 * x.shape[1], 2 * x.shape[2]])
    return keras.layers.Lambda(resize, output_shape=lambda shape: (shape[0], 2 * shape[1], 2 * shape[2], shape[3]),
                               name=name)


def exact_adam(learning_rate: Any, epsilon: float = TF1_EPSILON) -> Any:
    """Return a Keras 3 optimiser whose steps, for equal gradients, are bit-identical to tf1.train.AdamOptimizer's.

    The optimiser calls TensorFlow 1's kernel, ResourceApplyAdam, with the same arguments. In particular, its beta
    powers are variables that are multiplied at each step in float32, where Keras computes each power anew.

    Args:
        learning_rate: float, or a Keras schedule.
        epsilon: constant that keeps the divisor of a step from zero.
    """
    class ExactAdam(keras.optimizers.Adam):  # type: ignore[misc]
        def build(self, variables: Any) -> None:
            super().build(variables)
            # tf1: these variables, and the kernel below, are those of tf1.train.AdamOptimizer
            self.beta_powers = [tf1.Variable(np.float32(beta), trainable=False, use_resource=True)
                                for beta in (BETA_1, BETA_2)]

        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            index = self._get_variable_index(variable)
            tf1.raw_ops.ResourceApplyAdam(
                var=variable.handle, m=self._momentums[index].value.handle,
                v=self._velocities[index].value.handle,
                beta1_power=self.beta_powers[0], beta2_power=self.beta_powers[1],
                lr=tf1.cast(learning_rate, tf1.float32), beta1=np.float32(BETA_1), beta2=np.float32(BETA_2),
                epsilon=np.float32(epsilon), grad=gradient)

        def apply(self, gradients: Any, variables: Any = None) -> None:
            super().apply(gradients, variables)
            for power, beta in zip(self.beta_powers, (BETA_1, BETA_2)):
                power.assign(power * np.float32(beta))

    return ExactAdam(learning_rate)

"""Parts of a Keras twin: optimisers and upsampling layers that step and round as TensorFlow 1 does.

The prefix tf1 in Keras code marks operations of TensorFlow that the graph uses too, here run eagerly.
"""
from __future__ import annotations

from typing import Any

import numpy as np

from tf1_autoencoders.utils.frameworks import keras, tf1

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8  # the defaults of tf1.train.AdamOptimizer


def keras_adam(learning_rate: Any) -> Any:
    """Return Keras's own Adam with the constants of tf1.train.AdamOptimizer.

    Epsilon is TensorFlow 1's 1e-8 (Keras has 1e-7). The betas are rounded to float32 first, as in a TensorFlow 1 graph,
    because Keras computes 1 - beta in double precision.
    """
    return keras.optimizers.Adam(learning_rate, beta_1=float(np.float32(BETA_1)), beta_2=float(np.float32(BETA_2)),
                                 epsilon=EPSILON)


def keras_upsampling(name: str) -> Any:
    """Return Keras's layer that doubles height and width; its gradient adds the four pixels in another order."""
    return keras.layers.UpSampling2D((2, 2), name=name)


def exact_upsampling(name: str) -> Any:
    """Return the same layer with the operation that the graph uses, so that the gradient is rounded alike."""
    def resize(x: Any) -> Any:
        return tf1.image.resize_nearest_neighbor(x, [2 * x.shape[1], 2 * x.shape[2]])
    return keras.layers.Lambda(resize, output_shape=lambda shape: (shape[0], 2 * shape[1], 2 * shape[2], shape[3]),
                               name=name)


def exact_adam(learning_rate: Any) -> Any:
    """Return a Keras 3 optimiser whose steps are bit-identical to tf1.train.AdamOptimizer.

    The optimiser calls the same kernel (ResourceApplyAdam) with the same numbers: beta powers that are multiplied step
    by step in float32, where Keras computes each power anew.
    """
    class ExactAdam(keras.optimizers.Adam):  # type: ignore[misc]
        def build(self, variables: Any) -> None:
            super().build(variables)
            self.beta_powers = [tf1.Variable(np.float32(beta), trainable=False, use_resource=True)
                                for beta in (BETA_1, BETA_2)]

        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            index = self._get_variable_index(variable)
            tf1.raw_ops.ResourceApplyAdam(
                var=variable.handle, m=self._momentums[index].value.handle,
                v=self._velocities[index].value.handle,
                beta1_power=self.beta_powers[0], beta2_power=self.beta_powers[1],
                lr=tf1.cast(learning_rate, tf1.float32), beta1=np.float32(BETA_1), beta2=np.float32(BETA_2),
                epsilon=np.float32(EPSILON), grad=gradient)

        def apply(self, gradients: Any, variables: Any = None) -> None:
            super().apply(gradients, variables)
            for power, beta in zip(self.beta_powers, (BETA_1, BETA_2)):
                power.assign(power * np.float32(beta))

    return ExactAdam(learning_rate)

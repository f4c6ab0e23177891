"""What a Keras twin is made of: optimisers and upsampling that step and round as TensorFlow 1 does."""
from __future__ import annotations

import numpy as np

from tf1_autoencoders.utils.frameworks import keras, tf1

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8  # the defaults of tf1.train.AdamOptimizer


def keras_adam(learning_rate):
    """Keras's own Adam with the numbers of tf1.train.AdamOptimizer.

    Epsilon is TensorFlow 1's 1e-8 (Keras has 1e-7), and the betas are rounded to float32 first, as they are in a
    TensorFlow 1 graph: Keras takes 1 - beta in double precision otherwise.
    """
    return keras.optimizers.Adam(learning_rate, beta_1=float(np.float32(BETA_1)), beta_2=float(np.float32(BETA_2)),
                                 epsilon=EPSILON)


def keras_upsampling(name):
    """Keras's layer that doubles height and width; its gradient adds the four pixels in an order of its own."""
    return keras.layers.UpSampling2D((2, 2), name=name)


def exact_upsampling(name):
    """The same by the operation that the graph uses, so that the gradient is rounded as there."""
    def resize(x):
        return tf1.image.resize_nearest_neighbor(x, [2 * x.shape[1], 2 * x.shape[2]])
    return keras.layers.Lambda(resize, output_shape=lambda shape: (shape[0], 2 * shape[1], 2 * shape[2], shape[3]),
                               name=name)


def exact_adam(learning_rate):
    """A Keras 3 optimiser that steps exactly as tf1.train.AdamOptimizer does, to the byte.

    The same kernel (ResourceApplyAdam) on the same numbers: beta powers that are multiplied step by step in float32,
    where Keras computes a power anew.
    """
    class ExactAdam(keras.optimizers.Adam):
        def build(self, variables):
            super().build(variables)
            self.beta_powers = [tf1.Variable(np.float32(beta), trainable=False, use_resource=True)
                                for beta in (BETA_1, BETA_2)]

        def update_step(self, gradient, variable, learning_rate):
            index = self._get_variable_index(variable)
            tf1.raw_ops.ResourceApplyAdam(
                var=variable.handle, m=self._momentums[index].value.handle,
                v=self._velocities[index].value.handle,
                beta1_power=self.beta_powers[0], beta2_power=self.beta_powers[1],
                lr=tf1.cast(learning_rate, tf1.float32), beta1=np.float32(BETA_1), beta2=np.float32(BETA_2),
                epsilon=np.float32(EPSILON), grad=gradient)

        def apply(self, gradients, variables=None):
            super().apply(gradients, variables)
            for power, beta in zip(self.beta_powers, (BETA_1, BETA_2)):
                power.assign(power * np.float32(beta))

    return ExactAdam(learning_rate)

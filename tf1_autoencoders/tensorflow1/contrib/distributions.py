"""tf.contrib.distributions of TensorFlow 1.15: the classes that tf.distributions has, too, which are the same objects.

Source of every name: tf.contrib.distributions of TensorFlow 1.15.5. The others went on in TensorFlow Probability.
"""
from __future__ import annotations

import tf1_autoencoders.tensorflow1 as tf
from tf1_autoencoders.tensorflow1 import contrib as _contrib

_core = tf.distributions
Distribution, ReparameterizationType = _core.Distribution, _core.ReparameterizationType
FULLY_REPARAMETERIZED, NOT_REPARAMETERIZED = _core.FULLY_REPARAMETERIZED, _core.NOT_REPARAMETERIZED
Bernoulli, Beta, Categorical, Dirichlet = _core.Bernoulli, _core.Beta, _core.Categorical, _core.Dirichlet
DirichletMultinomial, Exponential, Gamma = _core.DirichletMultinomial, _core.Exponential, _core.Gamma
Laplace, Multinomial, Normal = _core.Laplace, _core.Multinomial, _core.Normal
StudentT, Uniform = _core.StudentT, _core.Uniform
RegisterKL, kl_divergence = _core.RegisterKL, _core.kl_divergence

_REFUSED = {name: f"pip install tensorflow-probability has it, as tfp.distributions.{name}" for name in """
    Autoregressive BatchReshape Binomial Cauchy Chi2 ConditionalDistribution ConditionalTransformedDistribution
    Deterministic ExpRelaxedOneHotCategorical Geometric HalfNormal Independent InverseGamma Kumaraswamy Logistic Mixture
    MixtureSameFamily MultivariateNormalDiag MultivariateNormalDiagPlusLowRank MultivariateNormalFullCovariance
    MultivariateNormalTriL NegativeBinomial OneHotCategorical Poisson PoissonLogNormalQuadratureCompound
    QuantizedDistribution RelaxedBernoulli RelaxedOneHotCategorical SinhArcsinh TransformedDistribution
    VectorDeterministic VectorDiffeomixture VectorExponentialDiag VectorLaplaceDiag VectorSinhArcsinhDiag""".split()}
_REFUSED["bijectors"] = "pip install tensorflow-probability has them, as tfp.bijectors"
__getattr__ = _contrib.explain_missing(__name__, ("ops", "distributions"), _REFUSED)

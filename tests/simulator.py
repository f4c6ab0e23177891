"""Small worlds in the place of gym and of a window, for the reinforcement learning programs of programs.tsv.

`make` knows gym's CartPole and Pendulum by their equations (Barto, Sutton and Anderson, 1983). Maze is the maze of
MorvanZhou's tutorials without its window.
"""
import numpy as np


class Space:
    """Values of a shape between low and high, or the actions 0 ... n - 1."""

    def __init__(self, n=None, high=None):
        self.n, self.high = n, None if high is None else np.array(high, np.float32)
        self.low, self.shape = (None, ()) if high is None else (-self.high, self.high.shape)

    def __repr__(self):
        return "Space"


class World:
    """What gym calls an environment; `unwrapped` is the world itself."""

    unwrapped = property(lambda self: self)

    def __init__(self):
        self.seed(1)

    def seed(self, seed):
        self.random = np.random.RandomState(seed)

    def render(self):
        pass


class CartPole(World):
    observation_space, action_space = Space(high=[4.8, 10, 0.42, 10]), Space(n=2)

    def reset(self):
        self.state = self.random.uniform(-0.05, 0.05, 4)
        return self.state.copy()

    def step(self, action):
        x, v, angle, w = self.state
        pushed = ((10 if action == 1 else -10) + 0.05 * w ** 2 * np.sin(angle)) / 1.1
        turning = (9.8 * np.sin(angle) - np.cos(angle) * pushed) / (0.5 * (4 / 3 - 0.1 * np.cos(angle) ** 2 / 1.1))
        moving = pushed - 0.05 * turning * np.cos(angle) / 1.1
        self.state = np.array([x + 0.02 * v, v + 0.02 * moving, angle + 0.02 * w, w + 0.02 * turning])
        fallen = abs(self.state[0]) > 2.4 or abs(self.state[2]) > 0.2095
        return self.state.copy(), 1.0, bool(fallen), {}

    x_threshold, theta_threshold_radians = 2.4, 0.2095


class Pendulum(World):
    observation_space, action_space = Space(high=[1, 1, 8]), Space(high=[2])

    def reset(self):
        self.angle, self.speed = self.random.uniform(-np.pi, np.pi), self.random.uniform(-1, 1)
        return self._observed()

    def _observed(self):
        return np.array([np.cos(self.angle), np.sin(self.angle), self.speed])

    def step(self, action):
        torque = float(np.clip(np.ravel(action)[0], -2, 2))
        upright = (self.angle + np.pi) % (2 * np.pi) - np.pi
        cost = upright ** 2 + 0.1 * self.speed ** 2 + 0.001 * torque ** 2
        self.speed = np.clip(self.speed + 0.05 * (15 * np.sin(self.angle) + 3 * torque), -8, 8)
        self.angle += 0.05 * self.speed
        return self._observed(), -cost, False, {}


def make(name):
    """Return the world of a name of gym's."""
    return {"CartPole": CartPole, "Pendulum": Pendulum}[name.split("-")[0]]()


class Maze(World):
    """A square of 4 x 4 fields; the goal gives 1, each of two holes -1, and both end the episode."""

    n_actions, n_features = 4, 2

    def reset(self):
        self.place = np.array([0, 0])
        return self._observed()

    def _observed(self):
        return (self.place - 2) / 4.0

    def step(self, action):
        moves = [(0, -1), (0, 1), (1, 0), (-1, 0)]
        self.place = np.clip(self.place + moves[action], 0, 3)
        reward = {(2, 2): 1, (2, 1): -1, (1, 2): -1}.get(tuple(self.place), 0)
        return self._observed(), reward, reward != 0

    def after(self, milliseconds, function):
        self.then = function

    def mainloop(self):
        self.then()

    def destroy(self):
        pass

"""The same network as a PyTorch user would write it: layers of torch.nn, Adam, all data in one tensor."""
from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from benchmarks.tasks import Task


class Dense(nn.Sequential):
    """The networks of sections 1 and 2; their layers are dense, dense_1, ... in a checkpoint of TensorFlow 1."""

    def __init__(self, task):
        kernels = [array for name, array in task.weights.items() if name.endswith("kernel")]
        hidden = nn.ReLU if task.number == 1 else nn.ELU
        layers = []
        for k, kernel in enumerate(kernels):
            layers.append(nn.Linear(*kernel.shape))
            _fill(layers[-1].weight, kernel.T)
            nn.init.zeros_(layers[-1].bias)
            if k < len(kernels) - 1:
                layers.append(nn.Sigmoid() if (task.number, k) == (1, 3) else hidden())
        super().__init__(*layers)


class Denoiser(nn.Sequential):
    """The network of section 3, on images [n, channels, height, width]."""

    def __init__(self, task):
        kernels = [array for name, array in task.weights.items() if name.endswith("kernel")]
        layers = []
        for k, kernel in enumerate(kernels):
            n_in, n_out = kernel.shape[2:]
            conv = nn.Conv2d(n_in, n_out, 3, padding=0 if k == 5 else 1)
            _fill(conv.weight, kernel.transpose(3, 2, 0, 1))
            nn.init.zeros_(conv.bias)
            layers.append(conv)
            if k < 6:
                layers += [nn.ReLU(), nn.MaxPool2d(2, ceil_mode=True) if k < 3 else nn.Upsample(scale_factor=2)]
        super().__init__(*layers)


class Sequences(nn.Module):
    """The network of section 4, which returns logits [batch, n_out, cardinality].

    With `time_first`, the LSTMs have nn.LSTM's default layout. With `cells`, their steps are written out from their
    weights, because torch.compile does not look into nn.LSTM: one product for the inputs of all time steps, and then
    the recurrent product and the gates of each step.
    """

    def __init__(self, task, time_first, cells):
        super().__init__()
        cardinality, units = task.settings["cardinality"], task.settings["n_units"]
        self.time_first, self.units = time_first, units
        if cells:
            self._run = self._run_cells
        self.encoder = nn.LSTM(cardinality, units, batch_first=not time_first)
        self.decoder = nn.LSTM(cardinality, units, batch_first=not time_first)
        self.dense = nn.Linear(units, cardinality)
        for lstm, name in (self.encoder, "encoder"), (self.decoder, "decoder"):
            i, j, f, o = np.split(task.weights[name + "/rnn/lstm_cell/kernel"].T, 4)
            kernel = np.concatenate([i, f, j, o])  # PyTorch's order of the gates
            _fill(lstm.weight_ih_l0, kernel[:, :cardinality])
            _fill(lstm.weight_hh_l0, kernel[:, cardinality:])
            _fill(lstm.bias_ih_l0, np.repeat(np.float32([0, 1, 0, 0]), units))  # TensorFlow adds the 1 at run time
            nn.init.zeros_(lstm.bias_hh_l0)
            lstm.bias_hh_l0.requires_grad_(False)  # a second bias, which the other networks do not have
        _fill(self.dense.weight, task.weights["dense/kernel"].T)
        nn.init.zeros_(self.dense.bias)

    def forward(self, x1, x2):
        if self.time_first:
            x1, x2 = x1.transpose(0, 1), x2.transpose(0, 1)
        _, state = self._run(self.encoder, x1, None)
        decoded, _ = self._run(self.decoder, x2, state)
        logits = self.dense(decoded)
        return logits.transpose(0, 1) if self.time_first else logits

    def _run(self, lstm, x, state):
        return lstm(x, state)

    def _run_cells(self, lstm, x, state):
        h, c = state or 2 * [x.new_zeros(len(x), self.units)]
        inputs, outputs = functional.linear(x, lstm.weight_ih_l0, lstm.bias_ih_l0), []
        for x_t in inputs.unbind(1):
            i, f, j, o = torch.addmm(x_t, h, lstm.weight_hh_l0.t()).chunk(4, 1)
            c = f.sigmoid() * c + i.sigmoid() * j.tanh()
            h = o.sigmoid() * c.tanh()
            outputs.append(h)
        return torch.stack(outputs, 1), (h, c)


class Implementation:
    """A section's network and its Adam.

    Args:
        task: Task.
        channels_last: True stores section 3's images with the channels last.
        time_first: True gives section 4's LSTMs the layout [time, batch, ...].
        compiled: a mode of torch.compile for network and loss, or None. Section 4's LSTMs are then written out.
    """

    def __init__(self, task: Task, channels_last=False, time_first=False, compiled=None):
        if task.threads:
            torch.set_num_threads(task.threads)
        self.task, self.next_rows = task, task.make_next_rows()
        self.format = torch.channels_last if channels_last else torch.contiguous_format
        if task.number == 4:
            self.model = Sequences(task, time_first, cells=bool(compiled))
        else:
            self.model = (Denoiser if task.number == 3 else Dense)(task).to(memory_format=self.format)
        self.data = self._tensors(task.arrays)
        trained = [weight for weight in self.model.parameters() if weight.requires_grad]
        self.adam = torch.optim.Adam(trained, task.settings["learning_rate"], eps=1e-8, fused=True)
        self.compute_loss = torch.compile(self._loss, mode=compiled) if compiled else self._loss

    def _tensors(self, arrays):
        """Return the network's data: images in its memory format, sequences as one-hot vectors, targets as numbers."""
        tensors = [torch.from_numpy(array) for array in arrays]
        if self.task.number == 3:
            return [tensor.permute(0, 3, 1, 2).contiguous(memory_format=self.format) for tensor in tensors]
        if self.task.number == 4:
            x1, x2, y = (tensor.long() for tensor in tensors)
            cardinality = self.task.settings["cardinality"]
            return [functional.one_hot(x1, cardinality).float(), functional.one_hot(x2, cardinality).float(), y]
        return tensors

    def _loss(self, *batch):
        if self.task.number == 4:
            x1, x2, y = batch
            return functional.cross_entropy(self.model(x1, x2).flatten(0, 1), y.flatten())
        return functional.mse_loss(self.model(batch[0]), batch[-1])

    def fit(self, n_rows, n_epochs, on_lap):
        size, report = self.task.batch_size, self.task.number == 2
        for epoch in range(n_epochs):
            rows, total = torch.from_numpy(self.next_rows(n_rows)), torch.zeros(())
            for batch in rows.split(size):
                self.adam.zero_grad(set_to_none=True)
                loss = self.compute_loss(*self._batch(batch))
                loss.backward()
                self.adam.step()
                if not report:
                    total += loss.detach()
            if report:  # one batch's loss, after every tenth epoch
                if epoch % self.task.epochs_per_lap:
                    continue
                with torch.no_grad():
                    total = self._loss(*self._batch(torch.from_numpy(self.next_rows(size))))
            total.item()
            on_lap()

    def _batch(self, rows):
        return [tensor.index_select(0, rows) for tensor in self.data]

    def predict(self, n):
        with torch.no_grad():
            first = [tensor[:n] for tensor in self.data]
            if self.task.number == 4:
                return self.model(*first[:2]).softmax(-1).numpy()
            outputs = self.model(first[0])
            return (outputs.permute(0, 2, 3, 1) if self.task.number == 3 else outputs).numpy()

    def about(self):
        return {"PyTorch": torch.__version__, "threads": torch.get_num_threads()}


def _fill(parameter, array):
    with torch.no_grad():
        parameter.copy_(torch.from_numpy(np.ascontiguousarray(array)))

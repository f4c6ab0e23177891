"""Programs of tf.contrib.rnn."""
from tests.tf115.contrib_programs import CALLS, call


def _cells(tf):
    rnn = tf.contrib.rnn
    return {
        "BasicRNNCell": lambda: rnn.BasicRNNCell(4),
        "BasicLSTMCell": lambda: rnn.BasicLSTMCell(4, forget_bias=0.5),
        "LSTMCell": lambda: rnn.LSTMCell(4),
        "LSTMCell_peepholes": lambda: rnn.LSTMCell(4, use_peepholes=True, cell_clip=0.5, num_proj=3, proj_clip=0.4,
                                                   initializer=tf.random_uniform_initializer(-0.3, 0.3)),
        "GRUCell": lambda: rnn.GRUCell(4),
        "MultiRNNCell": lambda: rnn.MultiRNNCell([rnn.BasicLSTMCell(4), rnn.GRUCell(3)]),
        "MultiRNNCell_joined": lambda: rnn.MultiRNNCell([rnn.GRUCell(4), rnn.GRUCell(3)], state_is_tuple=False),
        "DropoutWrapper": lambda: rnn.DropoutWrapper(rnn.BasicLSTMCell(4), input_keep_prob=0.8, output_keep_prob=0.5),
        "DropoutWrapper_state": lambda: rnn.DropoutWrapper(rnn.GRUCell(4), state_keep_prob=0.5, seed=3),
        "DropoutWrapper_variational": lambda: rnn.DropoutWrapper(
            rnn.GRUCell(4), 0.5, 0.6, 0.7, variational_recurrent=True, input_size=5, dtype=tf.float32),
        "ResidualWrapper": lambda: rnn.ResidualWrapper(rnn.GRUCell(5)),
        "DeviceWrapper": lambda: rnn.DeviceWrapper(rnn.GRUCell(4), "/cpu:0"),
        "InputProjectionWrapper": lambda: rnn.InputProjectionWrapper(rnn.GRUCell(4), 3),
        "InputProjectionWrapper_relu": lambda: rnn.InputProjectionWrapper(rnn.GRUCell(4), 3, tf.nn.relu),
        "OutputProjectionWrapper": lambda: rnn.OutputProjectionWrapper(rnn.BasicLSTMCell(4), 3),
        "OutputProjectionWrapper_relu": lambda: rnn.OutputProjectionWrapper(rnn.GRUCell(4), 3, tf.nn.relu),
        "AttentionCellWrapper": lambda: rnn.AttentionCellWrapper(rnn.BasicLSTMCell(4), 3),
        "AttentionCellWrapper_joined": lambda: rnn.AttentionCellWrapper(rnn.GRUCell(4), 2, 3, 5, state_is_tuple=False),
        "HighwayWrapper": lambda: rnn.HighwayWrapper(rnn.GRUCell(5)),
        "HighwayWrapper_separate": lambda: rnn.HighwayWrapper(rnn.GRUCell(5), couple_carry_transform_gates=False),
        "LayerNormBasicLSTMCell": lambda: rnn.LayerNormBasicLSTMCell(4, dropout_keep_prob=0.8),
        "LayerNormBasicLSTMCell_plain": lambda: rnn.LayerNormBasicLSTMCell(4, layer_norm=False),
        "LSTMBlockCell": lambda: rnn.LSTMBlockCell(4),
        "LSTMBlockCell_peephole": lambda: rnn.LSTMBlockCell(4, cell_clip=0.5, use_peephole=True),
        "GRUBlockCell": lambda: rnn.GRUBlockCell(4),
        "GRUBlockCellV2": lambda: rnn.GRUBlockCellV2(4),
        "CoupledInputForgetGateLSTMCell": lambda: rnn.CoupledInputForgetGateLSTMCell(4),
        "CoupledInputForgetGateLSTMCell_all": lambda: rnn.CoupledInputForgetGateLSTMCell(
            4, use_peepholes=True, num_proj=3, proj_clip=0.3, layer_norm=True),
        "UGRNNCell": lambda: rnn.UGRNNCell(4),
        "IntersectionRNNCell": lambda: rnn.IntersectionRNNCell(4, num_in_proj=4),
        "NASCell": lambda: rnn.NASCell(4),
        "NASCell_projected": lambda: rnn.NASCell(4, num_proj=3, use_bias=True),
        "GLSTMCell": lambda: rnn.GLSTMCell(4, num_proj=4, number_of_groups=2),
        "IndRNNCell": lambda: rnn.IndRNNCell(4),
        "IndyGRUCell": lambda: rnn.IndyGRUCell(4),
        "IndyLSTMCell": lambda: rnn.IndyLSTMCell(4),
        "SRUCell": lambda: rnn.SRUCell(4),
    }


def _register_cells():
    class Names:  # the keys only: no cell is made before a program runs
        contrib = type("contrib", (), {"rnn": None})

    for name in _cells(Names):
        sizes = {"GLSTMCell": {"width": 4}, "AttentionCellWrapper": {"n_steps": 7, "batch": 5},
                 "AttentionCellWrapper_joined": {"n_steps": 7, "batch": 5}}.get(name, {})
        CALLS[f"rnn.{name}"] = lambda c, name=name, sizes=sizes: c.recurrent(_cells(c.tf)[name](), **sizes)


_register_cells()


@call
def rnn__EmbeddingWrapper(c):
    cell = c.tf.contrib.rnn.EmbeddingWrapper(c.tf.contrib.rnn.GRUCell(4), 7, 5)
    outputs, state = c.tf.nn.dynamic_rnn(cell, c.integers(7, 3, 4, 1), dtype=c.tf.float32)
    return c.joined([outputs, state])


@call
def rnn__PhasedLSTMCell(c):
    cell = c.tf.contrib.rnn.PhasedLSTMCell(4)
    times = c.tf.cumsum(c.tf.abs(c.floats(3, 4, 1)), 1)
    outputs, state = c.tf.nn.dynamic_rnn(cell, (times, c.floats(3, 4, 5)), dtype=c.tf.float32)
    return c.joined([outputs, state.c, state.h])


@call
def rnn__ConvLSTMCell(c):
    cell = c.tf.contrib.rnn.Conv2DLSTMCell(input_shape=[4, 4, 2], output_channels=3, kernel_shape=[3, 3])
    outputs, state = c.tf.nn.dynamic_rnn(cell, c.floats(2, 3, 4, 4, 2), dtype=c.tf.float32)
    return c.joined([outputs] + list(state))


@call
def rnn__ConvLSTMCell_1d_3d(c):
    rnn = c.tf.contrib.rnn
    line = rnn.Conv1DLSTMCell(input_shape=[5, 2], output_channels=2, kernel_shape=[3])
    volume = rnn.Conv3DLSTMCell(input_shape=[2, 2, 2, 2], output_channels=2, kernel_shape=[2, 2, 2], use_bias=False)
    outputs = [c.tf.nn.dynamic_rnn(line, c.floats(2, 3, 5, 2), dtype=c.tf.float32, scope="line")[0],
               c.tf.nn.dynamic_rnn(volume, c.floats(2, 2, 2, 2, 2, 2), dtype=c.tf.float32, scope="volume")[0]]
    return c.joined(outputs)


@call
def rnn__ConvLSTMCell_skip(c):
    cell = c.tf.contrib.rnn.ConvLSTMCell(1, [5, 2], 3, [3], skip_connection=True)
    outputs, state = cell(c.floats(2, 5, 2), cell.zero_state(2, c.tf.float32))
    return c.joined([outputs] + list(state))


@call
def rnn__static_rnn(c):
    cell = c.tf.contrib.rnn.BasicLSTMCell(4)
    outputs, state = c.tf.contrib.rnn.static_rnn(cell, c.sequence(3, 2, 5), dtype=c.tf.float32)
    return c.joined(outputs + list(state))


@call
def rnn__static_rnn_lengths(c):
    outputs, state = c.tf.contrib.rnn.static_rnn(c.tf.contrib.rnn.GRUCell(4), c.sequence(3, 2, 5), dtype=c.tf.float32,
                                                 sequence_length=c.integers(3, 2))
    return c.joined(outputs + [state])


@call
def rnn__static_bidirectional_rnn(c):
    rnn = c.tf.contrib.rnn
    outputs, forward, backward = rnn.static_bidirectional_rnn(rnn.BasicLSTMCell(4), rnn.LSTMCell(3),
                                                              c.sequence(3, 2, 5), dtype=c.tf.float32)
    return c.joined(outputs + list(forward) + list(backward))


@call
def rnn__stack_bidirectional_rnn(c):
    rnn = c.tf.contrib.rnn
    outputs, forward, backward = rnn.stack_bidirectional_rnn(
        [rnn.GRUCell(3), rnn.GRUCell(2)], [rnn.GRUCell(3), rnn.GRUCell(2)], c.sequence(3, 2, 5), dtype=c.tf.float32)
    return c.joined(outputs + list(forward) + list(backward))


@call
def rnn__stack_bidirectional_dynamic_rnn(c):
    rnn = c.tf.contrib.rnn
    outputs, forward, backward = rnn.stack_bidirectional_dynamic_rnn(
        [rnn.GRUCell(3), rnn.GRUCell(2)], [rnn.GRUCell(3), rnn.GRUCell(2)], c.floats(2, 3, 5), dtype=c.tf.float32,
        sequence_length=c.integers(4, 2))
    return c.joined([outputs] + list(forward) + list(backward))


@call
def rnn__LSTMBlockFusedCell(c):
    cell = c.tf.contrib.rnn.LSTMBlockFusedCell(4, use_peephole=True, cell_clip=0.5)
    outputs, state = cell(c.fixed(3, 2, 5), dtype=c.tf.float32, sequence_length=c.tf.constant([2, 3]))
    return c.joined([c.tf.contrib.rnn.transpose_batch_time(outputs), state.c, state.h])


@call
def rnn__LSTMBlockFusedCell_plain(c):
    outputs, state = c.tf.contrib.rnn.LSTMBlockFusedCell(4)(c.tf.stack(c.sequence(3, 2, 5)), dtype=c.tf.float32)
    return c.joined([c.tf.contrib.rnn.transpose_batch_time(outputs), state.c, state.h])


@call
def rnn__FusedRNNCellAdaptor(c):
    rnn = c.tf.contrib.rnn
    fused = rnn.TimeReversedFusedRNN(rnn.FusedRNNCellAdaptor(rnn.BasicRNNCell(4), use_dynamic_rnn=True))
    outputs, state = fused(c.fixed(3, 2, 5), dtype=c.tf.float32)
    return c.joined([rnn.transpose_batch_time(outputs), state])


@call
def rnn__dropout_layers(c):
    rnn, tf = c.tf.contrib.rnn, c.tf
    cells = [rnn.DropoutWrapper(rnn.LSTMCell(4), output_keep_prob=0.7) for _ in range(2)]
    outputs, _ = tf.nn.dynamic_rnn(rnn.MultiRNNCell(cells), c.floats(3, 4, 5), dtype=tf.float32)
    return c.layers.fully_connected(outputs[:, -1], 2, activation_fn=None)

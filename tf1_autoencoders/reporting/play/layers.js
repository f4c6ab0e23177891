"use strict";
// The layers of Keras, one image or sequence at a time. A tensor is {shape, data}: its last axis holds the channels,
// and data is a Float32Array. Which layers a network has, and their weights, come from the page's data.

const sigmoid = x => 1 / (1 + Math.exp(-x));
const ACTIVATIONS = {  // of the sums of one pixel, or of one step
  linear: sums => sums,
  relu: sums => { for (let o = 0; o < sums.length; o++) if (sums[o] < 0) sums[o] = 0; return sums; },
  sigmoid: sums => sums.map(sigmoid),
  softmax(sums) {
    const highest = Math.max(...sums), powers = sums.map(x => Math.exp(x - highest));
    return powers.map(x => x / powers.reduce((total, power) => total + power));
  },
};

/** Convolve with stride 1. Zeros, of which relu leaves many, are skipped. */
function convolve({shape: [height, width, channels], data}, {size, padding, activation, weights: [kernel, bias]}) {
  const margin = padding === "same" ? (size - 1) >> 1 : 0, filters = bias.length;
  const rows = height + 2 * margin - size + 1, columns = width + 2 * margin - size + 1;
  const outputs = new Float32Array(rows * columns * filters), sums = new Float64Array(filters);
  const values = new Float64Array(size * size * channels + 1), starts = new Int32Array(values.length);
  for (let y = 0; y < rows; y++) for (let x = 0; x < columns; x++) {
    let n = 0;
    for (let dy = Math.max(0, margin - y); dy < size && y + dy - margin < height; dy++)
      for (let dx = Math.max(0, margin - x); dx < size && x + dx - margin < width; dx++) {
        const pixel = ((y + dy - margin) * width + x + dx - margin) * channels, tap = (dy * size + dx) * channels;
        for (let c = 0; c < channels; c++)
          if (data[pixel + c] !== 0) { values[n] = data[pixel + c]; starts[n++] = (tap + c) * filters; }
      }
    sums.set(bias);
    values[n] = 0;
    for (let k = 0; k < n; k += 2) {  // two rows of the kernel at a time, for speed
      const a = values[k], b = values[k + 1], p = starts[k], q = starts[k + 1];
      for (let o = 0; o < filters; o++) sums[o] += a * kernel[p + o] + b * kernel[q + o];
    }
    outputs.set(ACTIVATIONS[activation](sums), (y * columns + x) * filters);
  }
  return {shape: [rows, columns, filters], data: outputs};
}

/** Compute a dense layer, which is a window of one pixel. */
function dense({data}, layer) {
  const [kernel, bias] = layer.weights, channels = kernel.length / bias.length;
  return convolve({shape: [data.length / channels, 1, channels], data}, {...layer, size: 1, padding: "valid"}).data;
}

/** Run an LSTM over a sequence [steps, n_in], from a state (h, c) or zeros; return its outputs, and h of every step. */
// Its gates are a dense layer of [input, h], in Keras's order: i, f, the candidate, o.
function runLstm({units, sequences, weights}, [{shape: [steps, width], data}, ...state]) {
  const [h, c] = [0, 1].map(k => (state.length ? state[k].data.slice() : new Float32Array(units)));
  const trace = new Float32Array(steps * units), both = new Float32Array(width + units);
  for (let step = 0; step < steps; step++) {
    both.set(data.subarray(step * width, (step + 1) * width));
    both.set(h, width);
    const sums = dense({data: both}, {activation: "linear", weights});
    for (let k = 0; k < units; k++) {
      c[k] = sigmoid(sums[units + k]) * c[k] + sigmoid(sums[k]) * Math.tanh(sums[2 * units + k]);
      h[k] = sigmoid(sums[3 * units + k]) * Math.tanh(c[k]);
    }
    trace.set(h, step * units);
  }
  const all = {shape: [steps, units], data: trace}, last = {shape: [units], data: h};
  return [sequences ? all : last, last, {shape: [units], data: c}, all];
}

const LAYERS = {  // each takes a layer and the tensors that it is given, and returns its outputs
  Conv2D: (layer, [x]) => [convolve(x, layer)],
  Dense: (layer, [x]) => [{shape: [...x.shape.slice(0, -1), layer.weights[1].length], data: dense(x, layer)}],
  MaxPooling2D(layer, [{shape: [height, width, channels], data}]) {
    const shape = [(height + 1) >> 1, (width + 1) >> 1, channels];
    const outputs = new Float32Array(shape[0] * shape[1] * channels).fill(-Infinity);
    for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) {
      const pixel = (y * width + x) * channels, pooled = ((y >> 1) * shape[1] + (x >> 1)) * channels;
      for (let c = 0; c < channels; c++) outputs[pooled + c] = Math.max(outputs[pooled + c], data[pixel + c]);
    }
    return [{shape, data: outputs}];
  },
  UpSampling2D(layer, [{shape: [height, width, channels], data}]) {
    const outputs = new Float32Array(4 * data.length);
    for (let y = 0; y < 2 * height; y++) for (let x = 0; x < 2 * width; x++) {
      const pixel = ((y >> 1) * width + (x >> 1)) * channels;
      outputs.set(data.subarray(pixel, pixel + channels), (y * 2 * width + x) * channels);
    }
    return [{shape: [2 * height, 2 * width, channels], data: outputs}];
  },
  LSTM: runLstm,
};

/** Run a function of a network on its inputs; return a list of outputs for each input, and then for each layer. */
function run(network, inputs) {
  const values = inputs.map(tensor => [tensor]);
  for (const layer of network.layers) values.push(LAYERS[layer.kind](layer, pick(values, layer.inputs)));
  return values;
}

/** Return tensors of what `run` returns: each place is [number of an input or a layer, number of its output]. */
const pick = (values, places) => places.map(([number, output]) => values[number][output]);
const outputsOf = (network, values) => pick(values, network.outputs);

/** Return the bytes of base64. */
const bytesOf = text => Uint8Array.from(atob(text), letter => letter.charCodeAt(0));

/** Unpack the page's weights: base64 of a zlib stream of the bytes of float32 numbers, all first bytes first. */
async function unpackWeights(text) {
  const stream = new Blob([bytesOf(text)]).stream().pipeThrough(new DecompressionStream("deflate"));
  const planes = new Uint8Array(await new Response(stream).arrayBuffer()), n = planes.length / 4;
  return new Float32Array(planes.map((_, k) => planes[k % 4 * n + (k >> 2)]).buffer);
}

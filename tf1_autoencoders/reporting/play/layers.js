"use strict";
// The layers of Keras, one image or sequence at a time. A tensor is {shape, data}: its last axis holds the channels,
// and data is a Float32Array. Which layers a network has, and their weights, come from the page's data.

/** Add values[k] * (row of kernel that starts at starts[k]) to sums, for k < n: four rows at a time, for speed. */
function addRows(sums, kernel, values, starts, n) {
  const width = sums.length;
  while (n % 4) { values[n] = 0; starts[n++] = 0; }
  for (let k = 0; k < n; k += 4) {
    const a = values[k], b = values[k + 1], c = values[k + 2], d = values[k + 3];
    const p = starts[k], q = starts[k + 1], r = starts[k + 2], s = starts[k + 3];
    for (let o = 0; o < width; o++)
      sums[o] += a * kernel[p + o] + b * kernel[q + o] + c * kernel[r + o] + d * kernel[s + o];
  }
}

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

/** Convolve with stride 1. Zeros, of which relu leaves many, are skipped. A dense layer is a window of one pixel. */
function convolve({shape: [height, width, channels], data}, {size, padding, activation, weights: [kernel, bias]}) {
  const margin = padding === "same" ? (size - 1) >> 1 : 0, filters = bias.length;
  const rows = height + 2 * margin - size + 1, columns = width + 2 * margin - size + 1;
  const outputs = new Float32Array(rows * columns * filters), sums = new Float64Array(filters);
  const values = new Float64Array(size * size * channels + 4), starts = new Int32Array(values.length);
  for (let y = 0; y < rows; y++) for (let x = 0; x < columns; x++) {
    let n = 0;
    for (let dy = Math.max(0, margin - y); dy < size && y + dy - margin < height; dy++)
      for (let dx = Math.max(0, margin - x); dx < size && x + dx - margin < width; dx++) {
        const pixel = ((y + dy - margin) * width + x + dx - margin) * channels, tap = (dy * size + dx) * channels;
        for (let c = 0; c < channels; c++)
          if (data[pixel + c] !== 0) { values[n] = data[pixel + c]; starts[n++] = (tap + c) * filters; }
      }
    sums.set(bias);
    addRows(sums, kernel, values, starts, n);
    outputs.set(ACTIVATIONS[activation](sums), (y * columns + x) * filters);
  }
  return {shape: [rows, columns, filters], data: outputs};
}

/** Run an LSTM over a sequence [steps, n_in], from a state (h, c) or zeros; return h of every step, and the state. */
function runLstm({units, weights: [kernel, recurrent, bias]}, [{shape: [steps, width], data}, ...state]) {
  const [h, c] = [0, 1].map(k => (state.length ? state[k].data.slice() : new Float32Array(units)));
  const sums = new Float64Array(4 * units), trace = new Float32Array(steps * units);
  const values = new Float64Array(Math.max(width, units) + 4), starts = new Int32Array(values.length);
  const add = (vector, rows) => {
    let n = 0;
    for (let k = 0; k < vector.length; k++)
      if (vector[k] !== 0) { values[n] = vector[k]; starts[n++] = k * 4 * units; }
    addRows(sums, rows, values, starts, n);
  };
  for (let step = 0; step < steps; step++) {
    sums.set(bias);
    add(data.subarray(step * width, (step + 1) * width), kernel);
    add(h, recurrent);
    for (let k = 0; k < units; k++) {  // the gates in Keras's order: i, f, the candidate, o
      c[k] = sigmoid(sums[units + k]) * c[k] + sigmoid(sums[k]) * Math.tanh(sums[2 * units + k]);
      h[k] = sigmoid(sums[3 * units + k]) * Math.tanh(c[k]);
    }
    trace.set(h, step * units);
  }
  return [{shape: [steps, units], data: trace}, {shape: [units], data: h}, {shape: [units], data: c}];
}

const LAYERS = {  // each takes a layer and the tensors that it is given, and returns its outputs
  Conv2D: (layer, [x]) => [convolve(x, layer)],
  Dense(layer, [x]) {
    const pixels = {shape: [x.shape.length > 1 ? x.shape[0] : 1, 1, x.shape[x.shape.length - 1]], data: x.data};
    const {shape: [rows, , units], data} = convolve(pixels, {...layer, size: 1, padding: "valid"});
    return [{shape: x.shape.length > 1 ? [rows, units] : [units], data}];
  },
  MaxPooling2D(layer, [{shape: [height, width, channels], data}]) {
    const shape = [(height + 1) >> 1, (width + 1) >> 1, channels];
    const outputs = new Float32Array(shape[0] * shape[1] * channels).fill(-Infinity);
    for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) {
      const pixel = (y * width + x) * channels, pooled = ((y >> 1) * shape[1] + (x >> 1)) * channels;
      for (let c = 0; c < channels; c++)
        if (data[pixel + c] > outputs[pooled + c]) outputs[pooled + c] = data[pixel + c];
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
  LSTM(layer, inputs) {
    const [trace, h, c] = runLstm(layer, inputs);
    return [layer.sequences ? trace : h, h, c, trace];  // the last for the page, which shows every step
  },
};

/** Run a function of a network on {name of an input: tensor}; return {name of a layer: its outputs}. */
function run(network, inputs) {
  const values = {};
  for (const [name, tensor] of Object.entries(inputs)) values[name] = [tensor];
  for (const layer of network.layers)
    values[layer.name] = LAYERS[layer.kind](layer, layer.inputs.map(([name, output]) => values[name][output]));
  return values;
}

/** Return the tensors that a function gives, from what run returned. */
const outputsOf = (network, values) => network.outputs.map(([name, output]) => values[name][output]);

/** Unpack the page's weights: base64 of a zlib stream of the bytes of float32 numbers, all first bytes first. */
async function unpackWeights(text) {
  const packed = Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const planes = new Uint8Array(await new Response(stream).arrayBuffer()), n = planes.length / 4;
  const bytes = new Uint8Array(planes.length);
  for (let plane = 0; plane < 4; plane++) for (let k = 0; k < n; k++) bytes[4 * k + plane] = planes[plane * n + k];
  return new Float32Array(bytes.buffer);
}

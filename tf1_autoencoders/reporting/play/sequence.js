// Sequence to sequence: section 4's encoder and decoder, one number after another.
const STARTS = ["zeros", "one-hot"], FEEDBACKS = ["softmax", "one-hot"];
const likeliest = vector => vector.indexOf(Math.max(...vector));
const oneHot = (numbers, width) => ({shape: [numbers.length, width],
  data: Float32Array.from({length: numbers.length * width}, (_, k) => k % width === numbers[Math.floor(k / width)])});

/** Encode numbers, then ask the decoder for one number after another; see section 4's predict_sequence. */
function predict({functions: {encode, decode_step: decode}, n_out: nOut, cardinality}, numbers, start, feedback) {
  const values = run(encode, [oneHot(numbers, cardinality)]), outputs = [];
  let [h, c] = outputsOf(encode, values), vector = oneHot([start === "zeros" ? -1 : 0], cardinality);
  while (outputs.length < nOut) {
    [vector, h, c] = outputsOf(decode, run(decode, [vector, h, c]));
    outputs.push(vector.data);
    if (feedback === "one-hot") vector = oneHot([likeliest(vector.data)], cardinality);
  }
  return {trace: values[encode.outputs[0][0]][3].data, outputs};
}

/** Paint numbers -1..1 in a row: negative blue, positive orange, the stronger the fuller. */
function paintState(canvas, data) {
  const image = canvas.getContext("2d").createImageData(data.length, 1);
  data.forEach((x, k) =>
    image.data.set([...(x < 0 ? [58, 118, 240] : [240, 128, 24]), 255 * Math.sqrt(Math.abs(x))], 4 * k));
  canvas.getContext("2d").putImageData(image, 0, 0);
}

function sequencePanel(panel) {
  const parts = partsOf(panel), [network] = PLAY.networks.sequence, {n_in: nIn, n_out: nOut, cardinality} = network;
  const {units} = network.functions.encode.layers[0], redraw = onceAFrame(draw), steps = Array.from({length: nOut});
  const inputs = Array.from({length: nIn}, (_, k) => make("input", {type: "number", min: 1, max: cardinality - 1,
    required: true, inputMode: "numeric", label: `Number ${k + 1}`, oninput: redraw}));
  const set = numbers => { inputs.forEach((input, k) => { input.value = numbers[k]; }); redraw(); };
  parts.numbers.append(...inputs);
  parts.random.onclick = () => set(inputs.map(anyNumber));
  const anyNumber = () => 1 + Math.floor(Math.random() * (cardinality - 1));
  const examples = PLAY.examples.filter(numbers => numbers.length === nIn && Math.max(...numbers) < cardinality);
  parts.examples.append(...examples.map(numbers => make("button", {type: "button",
    textContent: numbers.join(" "), onclick: () => { set(numbers); watch(0); }})));
  const start = choices(parts.start, STARTS, 0, redraw), feedback = choices(parts.feedback, FEEDBACKS, 0, redraw);
  for (const _ of inputs)
    parts.states.append(make("div", {}, make("b"), make("canvas", {width: units, height: 1, role: "img"})));
  for (const _ of steps) {
    const bars = Array.from({length: cardinality}, () => make("i"));
    parts.steps.append(make("div", {className: "step"}, make("b"),
      make("div", {className: "bars", role: "img"}, ...bars), make("span", {className: "value"})));
  }
  Object.assign(parts.time, {max: nIn + nOut, value: nIn + nOut, oninput: redraw});
  let timer = 0;
  function watch(time) {
    clearTimeout(timer);
    parts.time.value = time;
    redraw();
    if (time < nIn + nOut) timer = setTimeout(watch, 350, time + 1);
  }
  parts.watch.onclick = () => watch(0);

  function draw() {
    for (const input of inputs) input.setAttribute("aria-invalid", !input.checkValidity());
    if (!inputs.every(input => input.checkValidity()))
      return say(parts.status, t("Expected six whole numbers from 1 to {}", cardinality - 1));
    const numbers = inputs.map(input => input.valueAsNumber), time = parts.time.valueAsNumber;
    const {trace, outputs} = predict(network, numbers, STARTS[start()], FEEDBACKS[feedback()]);
    const predicted = outputs.map(likeliest), target = numbers.slice(0, nOut).reverse();
    [...parts.states.children].forEach((row, k) => {
      const [number, canvas] = row.children;
      row.classList.toggle("later", k >= time);
      number.textContent = numbers[k];
      canvas.setAttribute("aria-label", t("State after number {}: {} values from -1 to 1", k + 1, units));
      paintState(canvas, trace.subarray(k * units, (k + 1) * units));
    });
    [...parts.steps.children].forEach((step, k) => {
      const [number, bars, note] = step.children;
      step.classList.toggle("later", nIn + k >= time);
      step.classList.toggle("wrong", predicted[k] !== target[k]);
      number.textContent = predicted[k];
      note.textContent = `${(100 * outputs[k][predicted[k]]).toFixed(1)} %`;
      bars.setAttribute("aria-label", t("Probabilities; the likeliest number is {}", predicted[k]));
      [...bars.children].forEach((bar, n) => bar.style.setProperty("--level", outputs[k][n]));
    });
    parts.shown.textContent = `${time} / ${nIn + nOut}`;
    // from left to right in Persian too
    const texts = [predicted, target].map(list => `\u2066${list.join(" ")}\u2069`);
    say(parts.status, time < nIn + nOut ? "" : t(texts[0] === texts[1] ? "{}: right" : "{}: expected {}", ...texts));
  }
  set(examples[0] || inputs.map(anyNumber));
  return draw;
}

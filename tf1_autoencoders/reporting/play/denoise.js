// Denoise: section 3's networks on one image, with the report's four noises.
const NOISES = {  // of a pixel's level, the strength, what was drawn for the image, and the pixel's number
  "salt-and-pepper": (x, strength, {chance, beta}, k) => (chance[k] < strength ? Math.floor(255 * beta[k]) / 255 : x),
  gaussian: (x, strength, drawn, k) => clip(x + strength * drawn.normal[k]),
  periodic: (x, strength, {periods, angle, phase}, k) => clip(x + strength * Math.sin(phase + 2 * Math.PI * periods
    * (Math.cos(angle) * (k % SIDE) + Math.sin(angle) * Math.floor(k / SIDE)) / SIDE)),
  speckle: (x, strength, drawn, k) => clip(x * (1 + strength * drawn.normal[k])),
};

/** Draw everything random in the four noises, so that a slider changes the strength of one and the same noise. */
function drawNoise(random = Math.random) {
  const numbers = draw => Float32Array.from({length: SIDE * SIDE}, draw);
  return {chance: numbers(random), beta: numbers(() => Math.sin(Math.PI / 2 * random()) ** 2),  // Beta(0.5, 0.5)
    normal: numbers(() => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())),
    periods: 2 + 6 * random(), angle: Math.PI * random(), phase: 2 * Math.PI * random()};
}

const addNoise = (pixels, noise, strength, drawn) => pixels.map((x, k) => NOISES[noise](x, strength, drawn, k));
const psnr = (image, clean) =>
  -10 * Math.log10(Math.max(1e-12, image.reduce((sum, x, k) => sum + (x - clean[k]) ** 2, 0) / clean.length));

/** Run the network on an image; return the values of all its layers. */
const denoise = ({functions: {denoise: network}}, pixels) =>
  run(network, [{shape: [SIDE, SIDE, 1], data: pixels}]);

function denoisePanel(panel) {
  const parts = partsOf(panel), networks = PLAY.networks.denoise, names = PLAY.noises.map(noise => noise.name);
  const redraw = onceAFrame(draw), image = imageSource(parts.source, networks, "clean", redraw);
  let drawn = drawNoise();
  const noisy = picture("noisy"), outputs = networks.map(network => picture(network.label));
  parts.stage.append(...[image, noisy, ...outputs].map(({figure}) => figure));
  const noise = choices(parts.noises, names, 0, () => { parts.strength.value = 50; redraw(); });
  const chosen = choices(parts.networks, networks.map(network => network.label), networks.length > 1 ? 1 : 0, redraw);
  const titles = networks[0].functions.denoise.layers.map(
    ({kind, shape}) => `${kind.replace(/2D$/, "")} ${shape.join("×")}`);
  const layer = choices(parts.layers, titles, 0, redraw);
  outputs.forEach(({canvas}, k) => { canvas.onclick = () => { chosen(k); redraw(); }; });
  parts.again.onclick = () => { drawn = drawNoise(); redraw(); };
  parts.strength.oninput = redraw;

  function draw() {
    const strength = PLAY.noises[noise()].strength * parts.strength.value / 50;  // up to three times the report's
    const pixels = addNoise(image.pixels, names[noise()], strength, drawn);
    const values = networks.map(network => denoise(network, pixels)), results = [[noisy, pixels]];
    networks.forEach(({functions}, k) => results.push([outputs[k], outputsOf(functions.denoise, values[k])[0].data]));
    paint(image.canvas, image.pixels);
    const decibels = results.map(([{canvas, note, figure}, data]) => {
      paint(canvas, data);
      const value = psnr(data, image.pixels);
      note.textContent = t("{} dB", value < 100 ? value.toFixed(1) : "∞");
      figure.style.setProperty("--level", clip((value - 5) / 25));
      return value;
    });
    const best = decibels.indexOf(Math.max(...decibels));
    results.forEach(([{figure}], k) => figure.classList.toggle("best", k === best));
    outputs.forEach(({figure}, k) => figure.classList.toggle("chosen", k === chosen()));
    parts.shown.textContent = strength.toFixed(3);
    parts.strength.setAttribute("aria-valuetext", parts.shown.textContent);
    say(parts.status, t("Nearest to the clean image: {}", t(best ? networks[best - 1].label : "noisy")));
    paintMaps(values[chosen()][1 + layer()][0]);
  }

  function paintMaps({shape: [height, width, channels], data}) {  // each map in its own scale
    const columns = Math.min(channels, innerWidth < 700 ? 8 : 16), gap = Math.ceil(height / 14);
    const rows = Math.ceil(channels / columns);
    Object.assign(parts.maps, {width: columns * (width + gap) - gap, height: rows * (height + gap) - gap});
    parts.maps.style.setProperty("--columns", columns);
    parts.maps.setAttribute("aria-label", t("{} feature maps of {} × {} pixels", channels, height, width));
    for (let c = 0; c < channels; c++) {
      let highest = 1e-6;
      for (let k = c; k < data.length; k += channels) highest = Math.max(highest, data[k]);
      paint(parts.maps, data, {width, height, left: c % columns * (width + gap), scale: 1 / highest, offset: c,
        top: Math.floor(c / columns) * (height + gap), stride: channels});
    }
  }
  return draw;
}

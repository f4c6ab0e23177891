// Codes: a network whose code has two numbers, as a map to move over.
const TILES = 13;  // of a side of the map

/** Call a function of a network that takes and gives one vector. */
const call = (network, data) =>
  outputsOf(network, run(network, [{shape: [data.length], data}]))[0].data;

function codesPanel(panel) {
  const parts = partsOf(panel), [network] = PLAY.networks.codes, {encode, decode} = network.functions;
  const redraw = onceAFrame(draw), decoded = picture("decoded");
  const find = () => { [parts.first.value, parts.second.value] = call(encode, image.pixels); redraw(); };
  const image = imageSource(parts.source, [network], "image", find);
  parts.stage.append(decoded.figure, image.figure);
  Object.assign(parts.tiles, {width: TILES * SIDE, height: TILES * SIDE});
  for (let row = 0; row < TILES; row++) for (let column = 0; column < TILES; column++) {
    const pixels = call(decode, Float32Array.of((column + 0.5) / TILES, 1 - (row + 0.5) / TILES));
    paint(parts.tiles, pixels, {left: column * SIDE, top: row * SIDE});
  }
  const move = event => {  // a mouse needs no button; a finger must not have left the map
    parts.first.value = event.offsetX / parts.map.clientWidth;
    parts.second.value = 1 - event.offsetY / parts.map.clientHeight;
    redraw();
  };
  Object.assign(parts.map, {onpointerdown: move, onpointermove: move});
  parts.first.oninput = parts.second.oninput = redraw;

  function draw() {
    const [x, y] = [parts.first.valueAsNumber, parts.second.valueAsNumber];
    paint(image.canvas, image.pixels);
    paint(decoded.canvas, call(decode, Float32Array.of(x, y)));
    Object.assign(parts.point.style, {left: `${100 * x}%`, top: `${100 - 100 * y}%`});
    [parts["shown-first"].textContent, parts["shown-second"].textContent] = [x.toFixed(2), y.toFixed(2)];
  }
  find();
  return draw;
}

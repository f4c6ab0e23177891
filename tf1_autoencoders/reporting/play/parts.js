// What the panels share: words, controls, small images, and the image that a visitor chooses, draws or opens.
const PLAY = JSON.parse(document.getElementById("play-data").textContent);
const SIDE = 28, panels = [];  // panels: functions that draw a panel anew
const clip = x => Math.min(1, Math.max(0, x));

/** Return an English text in the page's language; {} stands for the values, or for the number in the text. */
function t(text, ...values) {
  const {persian} = PLAY, [number] = text.match(/\d+/) || ["{}"];
  const words = document.documentElement.lang !== "fa" ? text
    : persian[text] || (persian[text.replace(number, "{}")] || text).replace("{}", number);
  return words.replace(/\{\}/g, () => values.shift());
}

/** Put every text and label of an element into the page's language. */
function translate(root) {
  const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode;
    node.english = node.english || node.data.trim().replace(/\s+/g, " ");
    if (node.english) node.data = `${t(node.english)} `;
  }
  for (const element of root.querySelectorAll("[aria-label]")) {
    element.english = element.english || element.getAttribute("aria-label");
    element.setAttribute("aria-label", t(element.english));
  }
}

/** Set a text; one that has not changed is left alone, so that a screen reader does not repeat it. */
const say = (element, text) => { if (element.textContent !== text) element.textContent = text; };

/** Return {name: element} of a panel's parts. */
const partsOf = panel => Object.fromEntries([...panel.querySelectorAll("[data-part]")].map(e => [e.dataset.part, e]));

/** Make an element with properties and children; `label` is its aria-label. */
function make(name, {label, role, ...properties} = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  if (role) element.setAttribute("role", role);
  if (label) element.setAttribute("aria-label", label);
  element.append(...children);
  return element;
}

/** Fill a fieldset with radio buttons; return a function that gives the number of the chosen one, or chooses it. */
function choices(fieldset, names, chosen, change) {
  const name = fieldset.closest(".panel").id + fieldset.dataset.part;
  const inputs = names.map((_, k) => make("input", {type: "radio", name, checked: k === chosen, onchange: change}));
  fieldset.append(...names.map((text, k) => make("label", {}, inputs[k], make("span", {textContent: text}))));
  return k => (k === undefined ? inputs.findIndex(input => input.checked) : (inputs[k].checked = true, k));
}

/** Paint numbers 0..1 in grey; offset and stride pick one channel of several. */
function paint(canvas, data, {width = SIDE, height = SIDE, left = 0, top = 0, scale = 1, offset = 0, stride = 1} = {}) {
  const context = canvas.getContext("2d"), image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let k = 0; k < pixels.length; k++)
    pixels[k] = 0xff000000 + 0x010101 * Math.round(255 * clip(scale * data[offset + k * stride]));
  context.putImageData(image, left, top);
}

/** Make a captioned image of 28 x 28 pixels: {figure, canvas, note}. */
function picture(title, properties = {}) {
  const canvas = make("canvas", {width: SIDE, height: SIDE, role: "img", label: title, ...properties});
  const note = make("span", {className: "value"});
  const caption = make("figcaption", {}, make("span", {textContent: title}), note);
  return {figure: make("figure", {}, canvas, caption), canvas, note};
}

/** Let the visitor choose an image, draw on it, or open a picture; return {figure, pixels}, pixels in 0..1. */
function imageSource(container, networks, title, change) {
  const grey = Float32Array.from(bytesOf(PLAY.images.pixels), level => level / 255);
  const image = {pixels: grey.slice(0, SIDE * SIDE), ...picture(title, {tabIndex: 0, role: "application",
    label: "Your image: draw with the mouse or a finger; arrow keys move the pen, the space bar draws"})};
  const pen = {x: 14, y: 14}, {canvas} = image;
  const show = pixels => { image.pixels.set(pixels); change(); };
  const list = make("div", {className: "thumbs"});
  PLAY.images.names.forEach((name, k) => {
    const thumb = make("canvas", {width: SIDE, height: SIDE});
    const pixels = grey.subarray(k * SIDE * SIDE, (k + 1) * SIDE * SIDE);
    paint(thumb, pixels);
    list.append(make("button", {type: "button", label: name, onclick: () => show(pixels)}, thumb));
  });
  const clear = make("button", {type: "button", textContent: "Empty, to draw on",
    onclick: () => { show(new Float32Array(SIDE * SIDE)); canvas.focus(); }});
  const file = make("input", {type: "file", accept: "image/*", onchange: () => file.files[0] && readPicture(
    file.files[0]).then(show, () => say(note, t("This browser cannot read the file as a picture.")))});
  const open = make("label", {className: "button"}, make("span", {textContent: "Open a picture"}), file);
  const note = make("p", {className: "small", role: "status", textContent: "The ten images are the drawn sample"
    + (networks.some(({drawn}) => drawn) ? ", on which the network was trained too."
      : "; the networks were trained on Fashion-MNIST.")});
  container.append(list, make("div", {className: "own"}, clear, open), note);
  const draw = () => {
    for (let k = 0; k < image.pixels.length; k++) {
      const level = 1.9 - Math.hypot(k % SIDE + 0.5 - pen.x, Math.floor(k / SIDE) + 0.5 - pen.y);
      image.pixels[k] = Math.max(image.pixels[k], Math.min(level, 0.9));
    }
    change();
  };
  const move = event => {
    if (event.type === "pointermove" && !event.buttons) return;
    pen.x = event.offsetX / canvas.clientWidth * SIDE;
    pen.y = event.offsetY / canvas.clientHeight * SIDE;
    draw();
  };
  canvas.onpointerdown = event => { canvas.setPointerCapture(event.pointerId); move(event); };
  canvas.onpointermove = move;
  canvas.onkeydown = event => {
    const step = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1], " ": [0, 0]}[event.key];
    if (!step) return;
    event.preventDefault();
    [pen.x, pen.y] = [pen.x + step[0], pen.y + step[1]].map(x => Math.min(SIDE - 0.5, Math.max(0.5, x)));
    if (event.key === " ") return draw();
    paint(canvas, image.pixels);
    const context = canvas.getContext("2d");  // where the pen is, until the image is painted again
    context.fillStyle = "#f60";
    context.fillRect(Math.floor(pen.x), Math.floor(pen.y), 1, 1);
  };
  return image;
}

/** Read a picture as the data set's are: the square in the middle, grey, light on black. */
async function readPicture(file) {
  const bitmap = await createImageBitmap(file), cut = Math.min(bitmap.width, bitmap.height);
  const canvas = make("canvas", {width: SIDE, height: SIDE}), context = canvas.getContext("2d");
  Object.assign(context, {fillStyle: "white", imageSmoothingQuality: "high"}).fillRect(0, 0, SIDE, SIDE);
  context.drawImage(bitmap, (bitmap.width - cut) / 2, (bitmap.height - cut) / 2, cut, cut, 0, 0, SIDE, SIDE);
  const {data} = context.getImageData(0, 0, SIDE, SIDE);
  const grey = new Float32Array(SIDE * SIDE).map((_, k) => (data[4 * k] + data[4 * k + 1] + data[4 * k + 2]) / 765);
  const border = grey.filter((_, k) => k < SIDE || k >= SIDE * (SIDE - 1) || k % SIDE % (SIDE - 1) === 0);
  return border.reduce((sum, x) => sum + x) / border.length > 0.5 ? grey.map(x => 1 - x) : grey;
}

/** Return a function that calls `draw` once before the next frame, however often it is called. */
function onceAFrame(draw) {
  let frame = 0;
  return () => { cancelAnimationFrame(frame); frame = requestAnimationFrame(draw); };
}

// Unpack the weights, start the panels that the page has, and let a button change the language.
const PANELS = {denoise: denoisePanel, sequence: sequencePanel, codes: codesPanel};

async function start() {
  const weights = await unpackWeights(PLAY.weights);
  for (const network of Object.values(PLAY.networks).flat()) for (const {layers} of Object.values(network.functions))
    for (const layer of layers) layer.weights = layer.weights.map(([first, n]) => weights.subarray(first, first + n));
  for (const panel of document.querySelectorAll(".panel")) panels.push(PANELS[panel.id](panel));
  showIn(document.documentElement.lang);
  document.body.classList.add("ready");
}

function showIn(language) {
  Object.assign(document.documentElement, {lang: language, dir: language === "fa" ? "rtl" : "ltr"});
  document.querySelectorAll(".play").forEach(translate);
  panels.forEach(draw => draw());
  for (const button of document.querySelectorAll("[data-language]"))
    button.setAttribute("aria-pressed", button.dataset.language === language);
}

for (const button of document.querySelectorAll("[data-language]"))
  button.addEventListener("click", () => showIn(button.dataset.language));
start();

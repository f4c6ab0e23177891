"use strict";
// Every slider shows one of its frames; a range control, which is operable by keyboard, chooses which.
document.querySelectorAll(".slider").forEach((slider, number) => {
  const frames = [...slider.querySelectorAll("img")];
  const [control, label, input, shown] = ["div", "label", "input", "span"].map(name => document.createElement(name));
  control.className = "control";
  const ends = [frames[0].dataset.label, frames[frames.length - 1].dataset.label];
  label.textContent = document.body.dataset.slider.replace(/\{\}/g, () => ends.shift());
  Object.assign(input, {type: "range", min: 0, max: frames.length - 1, value: 0, id: `slider${number}`});
  label.htmlFor = input.id;
  const show = () => {
    frames.forEach((frame, k) => frame.classList.toggle("shown", k === input.valueAsNumber));
    shown.textContent = frames[input.valueAsNumber].dataset.label;
    input.setAttribute("aria-valuetext", shown.textContent);
  };
  input.addEventListener("input", show);
  show();
  control.append(label, input, shown);
  slider.prepend(control);
  slider.classList.add("live");
});

// How answers look.

import { el, percent, plural, styled } from "./dom.js";

const SIGNS = { same: "M5 13l4.5 4.5L19 7", different: "M6 6l12 12M18 6L6 18", doubt: "M9 9a3 3 0 1 1 4 3c-.8.4-1 1-1 2m0 3.5v.01" };

export function errorBox(sentence) {
  return el("p", { class: "error", role: "alert" }, sentence);
}

export function headline(tone, words) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [name, value] of Object.entries({
    viewBox: "0 0 24 24", width: 34, height: 34, fill: "none", stroke: "currentColor", "stroke-width": 3,
    "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true",
  })) svg.setAttribute(name, value);
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", SIGNS[tone]);
  svg.append(path);
  return el("p", { class: `verdict ${tone}` }, svg, words);
}

/** What two photographs were found to be; the heat layers are added by `addHeat` when they arrive. */
export function verdict(reply) {
  const places = ["first", "second"];
  const more = reply.faces
    .map((each, i) => (each.others ? el("p", { class: "note" }, othersOf(each, `The ${places[i]} photograph`)) : null));
  return [
    el(
      "div", { class: "said" },
      headline(reply.sure ? (reply.same ? "same" : "different") : "doubt", reply.headline),
      el("p", { class: "words" }, `${sentence(reply.words)}. Probability that it is one person: ${percent(reply.probability)}.`),
      scale(reply),
      ...more,
      figures([
        ["Score", reply.score.toFixed(4)],
        ["Accepted from", reply.threshold.toFixed(4)],
        ["At that limit", rateInWords(reply.far)],
      ]),
    ),
    el("div", { class: "seen" }, ...reply.faces.map((each, i) => face(each, `The ${places[i]}, as the network saw it`))),
  ];
}

const sentence = (words) => words.charAt(0).toUpperCase() + words.slice(1);

function rateInWords(far) {
  return far === null ? "the rate of strangers who pass is not known" : `about 1 in ${Math.round(1 / far)} pairs of strangers pass`;
}

function scale(reply) {
  const at = (share, name) => styled(el("span", { class: name }), "left", `${(2 + 96 * share).toFixed(1)}%`);
  return el(
    "div", { class: "scale", "aria-hidden": "true" },
    el("div", { class: "bar" }, at(reply.threshold_probability, "limit"), at(reply.probability, "mark")),
    el("div", { class: "ends" }, el("span", {}, "different people"), el("span", {}, "same person")),
  );
}

function face(reply, caption) {
  return el(
    "figure", {},
    el("div", { class: "layers" }, el("img", { src: reply.crop, alt: caption })),
    el("figcaption", {}, caption),
  );
}

function othersOf(reply, photograph) {
  return `${photograph} shows ${plural(reply.others, "further face")}; the largest clear one was taken.`;
}

/** Lays the heat over the crops of an answer, with a slider for how strongly. */
export function addHeat(answer, heat) {
  const seen = answer.querySelector(".seen");
  seen.querySelectorAll(".layers").forEach((layers, i) => {
    layers.append(el("img", { class: "heat", src: heat[i], alt: "Heat map: bright where the network found what decided" }));
  });
  const slider = el("input", {
    type: "range", min: 0, max: 100, value: 80, "aria-label": "Strength of the heat map",
    oninput: (event) => styled(seen, "--heat", event.target.value / 100),
  });
  seen.append(el("label", { class: "slider" }, "Bright places spoke for this decision", slider));
}

export function identity(reply) {
  const known = reply.name !== null;
  const best = reply.candidates[0];
  const rate = reply.far === null ? "" : ` About 1 in ${Math.round(1 / reply.far)} strangers would be taken for somebody.`;
  const beyond = " That rate lies beyond what the held-out pairs could measure: their tail is taken as normal.";
  return [
    el(
      "div", { class: "said" },
      headline(known ? "same" : "doubt", known ? reply.name : "Unknown"),
      el("p", { class: "words" }, known
        ? `The most alike of ${plural(reply.people, "person", "people")}, and alike enough.`
        : `Nobody of ${plural(reply.people, "person", "people")} is alike enough; the most alike is ${best.name}.`),
      reply.face.others ? el("p", { class: "note" }, othersOf(reply.face, "The photograph")) : null,
      candidates(reply),
      el("p", { class: "note" }, `Accepted from a score of ${reply.threshold.toFixed(4)} on.${rate}${reply.extended ? beyond : ""}`),
    ),
    el("div", { class: "seen" }, face(reply.face, "As the network saw it")),
  ];
}

function candidates(reply) {
  const scores = reply.candidates.map((candidate) => candidate.score);
  const low = Math.min(...scores, reply.threshold);
  const high = Math.max(...scores, reply.threshold);
  const place = (score) => `${(8 + (84 * (score - low)) / (high - low || 1)).toFixed(1)}%`;
  const rows = reply.candidates.map((candidate) => el(
    "li", {},
    el("span", { class: candidate.score >= reply.threshold ? "name accepted" : "name" }, candidate.name),
    el("span", { class: "score" }, candidate.score.toFixed(4)),
    el("span", { class: "bar", "aria-hidden": "true" },
      styled(el("span", { class: "fill" }), "width", place(candidate.score)),
      styled(el("span", { class: "limit" }), "left", place(reply.threshold))),
  ));
  return el("ol", { class: "candidates", "aria-label": "The most alike people and their scores" }, ...rows);
}

function figures(pairs) {
  return el("dl", {}, ...pairs.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

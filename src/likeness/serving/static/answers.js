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

/**
 * What two photographs were found to be; the heat layers are added by `addHeat` when they arrive.
 * `choose(field, number)` asks again about another face.
 */
export function verdict(reply, choose) {
  const places = ["first", "second"];
  const more = reply.faces.flatMap((each, i) => notesOn(each, `The ${places[i]} photograph`, `${places[i]}_face`, choose));
  return [
    el(
      "div", { class: "said" },
      headline(reply.sure ? (reply.same ? "same" : "different") : "doubt", degree(reply)),
      el("p", { class: "words" }, rateInWords(reply.fmr)),
      scale(reply),
      el("p", { class: "note" }, "The percentages hold where both answers are equally likely beforehand."),
      ...more,
      figures([
        ["Score", reply.score.toFixed(4)],
        ["Limit", reply.threshold.toFixed(4)],
      ]),
    ),
    el("div", { class: "seen" }, ...reply.faces.map((each, i) => face(each, `The ${places[i]}, as the network saw it`))),
  ];
}

const sentence = (words) => words.charAt(0).toUpperCase() + words.slice(1);

/** The verdict with its probability; where a chosen limit and the probability disagree, both. */
function degree(reply) {
  const likely = reply.probability >= 0.5;
  const words = `${reply.words}, ${percent(likely ? reply.probability : 1 - reply.probability)}`;
  return likely === reply.same ? sentence(words) : `${reply.headline}: ${words}`;
}

function rateInWords(rate) {
  if (rate === null) return "How many pairs of different people this limit accepts is not known.";
  const share = rate > 0.3 ? percent(rate) : `about 1 in ${Math.round(1 / rate)}`;
  return `At this limit, ${share} comparisons of different people are wrongly accepted.`;
}

function scale(reply) {
  const at = (share, name) => styled(el("span", { class: name }), "left", `${(2 + 96 * share).toFixed(1)}%`);
  return el(
    "div", { class: "scale", role: "img", "aria-label": scaleInWords(reply) },
    el("div", { class: "above" }, limitLabel(reply.threshold_probability)),
    el("div", { class: "bar" }, at(reply.threshold_probability, "limit"), at(reply.probability, "mark")),
    el("div", { class: "ends" }, el("span", {}, "0\u202f%, different people"), el("span", {}, "100\u202f%, same person")),
  );
}

function scaleInWords(reply) {
  return `${percent(reply.probability)} on a scale from 0\u202f%, different people, to 100\u202f%, same person; `
    + `the limit is at ${percent(reply.threshold_probability)}`;
}

function limitLabel(share) {
  const left = Math.min(88, Math.max(12, 2 + 96 * share)); // the words stay inside the scale
  return styled(el("span", {}, `limit ${percent(share)}`), "left", `${left.toFixed(1)}%`);
}

function face(reply, caption) {
  return el(
    "figure", {},
    el("div", { class: "layers" }, el("img", { src: reply.crop, alt: caption })),
    el("figcaption", {}, caption),
  );
}

/** What there is to say of a photograph: further faces, of which another may be taken; low quality. */
function notesOn(reply, photograph, field, choose) {
  const warning = `${photograph} may mislead: ${reply.warnings.join("; ")}.`;
  return [
    reply.choices.length ? choice(reply, photograph, field, choose) : null,
    reply.warnings.length ? el("p", { class: "note" }, warning) : null,
  ];
}

/** The faces of a photograph that shows several, as buttons. */
function choice(reply, photograph, field, choose) {
  const taken = reply.number === 1 ? "the largest clear one" : `number ${reply.number}`;
  const said = `${photograph} shows ${plural(reply.others + 1, "face")}; ${taken} was taken.`;
  const buttons = reply.choices.map((src, i) => el(
    "button",
    { type: "button", "aria-pressed": String(i + 1 === reply.number), "aria-label": `Face ${i + 1}`, onclick: () => choose(field, i + 1) },
    el("img", { src, alt: "" }),
  ));
  return el(
    "div", { class: "choice", role: "group", "aria-label": `Faces of ${photograph.toLowerCase()}`, "data-field": field },
    el("p", { class: "note" }, said), ...buttons,
  );
}

/** Says below the crops that the heat map is on its way. */
export function awaitHeat(answer) {
  answer.querySelector(".seen").append(el("p", { class: "note heat-note" }, "The heat map is being computed …"));
}

/** Lays the heat of a reply over the crops of an answer, with a slider for how strongly; an Error says why there is none. */
export function addHeat(answer, { heat, message }) {
  const seen = answer.querySelector(".seen");
  const note = seen.querySelector(".heat-note");
  note.textContent = heat
    ? "Bright places weighed most in this decision. The map is an approximation, and does not show why they did."
    : `There is no heat map. ${message}`;
  if (!heat) return;
  seen.querySelectorAll(".layers").forEach((layers, i) => {
    layers.append(el("img", { class: "heat", src: heat[i], alt: "Heat map: bright where the network found what decided" }));
  });
  const slider = el("input", {
    type: "range", min: 0, max: 100, value: 0, oninput: (event) => styled(seen, "--heat", event.target.value / 100),
  });
  note.before(el("label", { class: "slider" }, "Heat map: none to strong", slider));
}

export function identity(reply, choose) {
  const known = reply.name !== null;
  const best = reply.candidates[0];
  const rate = reply.fpir === null ? "" : ` About 1 in ${Math.round(1 / reply.fpir)} people who are not enrolled would be taken for somebody.`;
  const beyond = " That rate lies beyond what the held-out pairs could measure: their tail is taken as normal.";
  return [
    el(
      "div", { class: "said" },
      headline(known ? "same" : "doubt", known ? reply.name : "Unknown"),
      el("p", { class: "words" }, known
        ? `The most alike of ${plural(reply.people, "person", "people")}, and alike enough.`
        : `Nobody of ${plural(reply.people, "person", "people")} is alike enough; the most alike is ${best.name}.`),
      ...notesOn(reply.face, "The photograph", "face", choose),
      candidates(reply),
      el("p", { class: "note" }, `Accepted from a score of ${reply.threshold.toFixed(4)}.${rate}${reply.extended ? beyond : ""}`),
    ),
    el("div", { class: "seen" }, face(reply.face, "As the network saw it")),
  ];
}

const number = (score) => score.toFixed(2).replace("-", "\u2212");

function candidates(reply) {
  const [low, high] = reply.axis;
  const place = (score) => `${(100 * Math.min(1, Math.max(0, (score - low) / (high - low)))).toFixed(1)}%`;
  const rows = reply.candidates.map((candidate) => el(
    "li", {},
    el("span", { class: candidate.score >= reply.threshold ? "name accepted" : "name" }, candidate.name),
    el("span", { class: "score" }, candidate.score.toFixed(4)),
    el("span", { class: "bar", "aria-hidden": "true" },
      styled(el("span", { class: "fill" }), "width", place(candidate.score)),
      styled(el("span", { class: "limit" }), "left", place(reply.threshold))),
  ));
  const limit = styled(el("span", { class: "at-limit" }, `limit ${number(reply.threshold)}`), "left", place(reply.threshold));
  const ends = el("li", { class: "ends", "aria-hidden": "true" }, el("span", {}, number(low)), limit, el("span", {}, number(high)));
  return el("ol", { class: "candidates", "aria-label": "The most alike people and their scores" }, ...rows, ends);
}

function figures(pairs) {
  return el("dl", {}, ...pairs.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

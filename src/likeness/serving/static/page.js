// The page: three tabs, a form in each, and the answers of the service.

import { addHeat, awaitHeat, errorBox, headline, identity, verdict } from "./answers.js";
import { ask, el, plural } from "./dom.js";
import { Drop } from "./drop.js";

const panel = (id) => document.getElementById(id);

/** A form whose photographs are asked about; `answer` turns the reply into what is shown. */
class Question {
  constructor(root, path, answer) {
    this.form = root.querySelector("form");
    this.place = root.querySelector(".answer");
    this.button = this.form.querySelector(".primary");
    this.path = path;
    this.answer = answer;
    this.round = 0;
    this.faces = {}; // which face is taken of a photograph that shows several
    this.drops = [...this.form.querySelectorAll(".drop")].map((box) => new Drop(box, (why) => this.changed(why)));
    for (const drop of this.drops) {
      drop.places = this.drops.length;
      drop.overflow = (files) => this.drops.find((each) => each !== drop).take(files);
    }
    this.form.addEventListener("input", () => this.update());
    this.form.addEventListener("change", (event) => {
      if (event.target.type !== "file") this.changed(null); // an answer, shown or under way, is for other options
    });
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!this.button.disabled) this.send();
    });
  }

  get ready() {
    return this.drops.every((drop) => drop.files.length > 0) && this.form.checkValidity();
  }

  update() {
    this.button.disabled = !this.ready;
  }

  changed(complaint) {
    this.faces = {};
    this.round += 1; // an answer that is under way is about other photographs or options
    this.request?.abort();
    this.rest();
    this.update();
    this.show(complaint ? [errorBox(complaint)] : []);
  }

  show(nodes) {
    this.place.replaceChildren(...nodes);
    this.place.hidden = nodes.length === 0;
  }

  data() {
    const data = new FormData();
    for (const field of this.form.elements) {
      if (!field.name || field.type === "file" || (field.type === "checkbox" && !field.checked)) continue;
      data.append(field.name, field.value);
    }
    for (const [field, number] of Object.entries(this.faces)) data.append(field, number);
    for (const drop of this.drops) for (const file of drop.files) data.append(drop.name, file);
    return data;
  }

  async send(extra = {}) {
    const round = ++this.round;
    this.request?.abort();
    this.request = new AbortController();
    this.form.classList.add("busy");
    this.form.setAttribute("aria-busy", "true");
    try {
      const data = this.data();
      for (const [name, value] of Object.entries(extra)) data.append(name, value);
      const reply = await ask(this.path, data, this.request.signal);
      if (round === this.round) {
        this.show(this.answer(reply, (field, number) => this.choose(field, number)));
        this.place.scrollIntoView({ block: "nearest", behavior: "smooth" });
        this.answered?.(round);
      }
    } catch (error) {
      if (round === this.round) this.show([errorBox(error.message), ...(this.refused?.(error) ?? [])]);
    }
    if (round === this.round) this.rest();
  }

  /** Asks again about another face of a photograph. */
  async choose(field, number) {
    this.faces[field] = number;
    await this.send();
    this.place.querySelector(`[data-field="${field}"] [aria-pressed="true"]`)?.focus(); // the one pressed is gone
  }

  rest() {
    this.form.classList.remove("busy");
    this.form.removeAttribute("aria-busy");
  }

  /** Takes pasted images into the first place that is free, else the last. */
  paste(files) {
    (this.drops.find((drop) => drop.files.length === 0) ?? this.drops.at(-1)).take(files);
  }
}

const compare = new Question(panel("compare"), "/api/verify", verdict);
compare.answered = async (round) => {
  awaitHeat(compare.place);
  const reply = await ask("/api/explain", compare.data(), compare.request.signal).catch((error) => error);
  if (round === compare.round) addHeat(compare.place, reply);
};

// Drawn faces to try: of one person at first, of two the next time

let second = 2;

async function drawnFace(number) {
  const reply = await fetch(`/static/drawn-face-${number}.jpg`);
  return new File([await reply.blob()], `drawn face ${number}.jpg`, { type: "image/jpeg" });
}

document.querySelector(".examples").addEventListener("click", async () => {
  const files = await Promise.all([1, second].map(drawnFace));
  second = second === 2 ? 3 : 2;
  compare.drops.forEach((drop, place) => drop.take([files[place]]));
  compare.send();
});

const identify = new Question(panel("identify"), "/api/identify", identity);

const enrol = new Question(panel("people"), "/api/people", (person) => [
  headline("same", `${person.name} is enrolled`),
  el("p", { class: "note" }, `From ${plural(person.photos, "photograph")}; recognised from now on.`),
]);
enrol.answered = () => {
  const said = [...enrol.place.childNodes];
  enrol.form.reset();
  for (const drop of enrol.drops) drop.clear();
  enrol.show(said);
  enrol.place.focus(); // the button that was pressed cannot be pressed any more
  listPeople();
};

/** Photographs that disagree are enrolled only where the person says so. */
enrol.refused = (error) => (error.canForce
  ? [el("p", { class: "note" }, "Is it the same person, for example at another age or with glasses?"),
     el("button", { type: "button", class: "secondary", onclick: () => enrol.send({ force: "1" }) }, "Enrol all the same")]
  : []);

// Who is enrolled

const list = document.querySelector(".enrolled");
const dialog = document.querySelector("dialog");

async function listPeople() {
  try {
    const people = await ask("/api/people");
    const rows = people.map(personRow);
    list.replaceChildren(...(rows.length ? rows : [el("li", { class: "nobody" }, "Nobody yet.")]));
  } catch (error) {
    list.replaceChildren(el("li", { class: "nobody" }, errorBox(error.message)));
  }
}

function personRow(person) {
  const kept = person.kept ? `, ${person.kept} kept` : "";
  const since = new Date(person.enrolled).toLocaleDateString(undefined, { dateStyle: "medium" });
  return el(
    "li", {},
    el("span", {}, el("b", {}, person.name), el("small", {}, `${plural(person.photos, "photograph")}${kept}, since ${since}`)),
    el("button", { type: "button", "aria-label": `Remove ${person.name}`, onclick: () => remove(person.name) }, "Remove"),
  );
}

function remove(name) {
  const place = [...list.querySelectorAll("b")].findIndex((each) => each.textContent === name);
  dialog.querySelector(".who").textContent = name;
  dialog.returnValue = "";
  dialog.onclose = async () => {
    if (dialog.returnValue !== "remove") return;
    const data = new FormData();
    data.append("name", name);
    try {
      await ask("/api/people/remove", data);
      enrol.show([]);
    } catch (error) {
      enrol.show([errorBox(error.message)]);
    }
    await listPeople();
    const buttons = [...list.querySelectorAll("button")]; // its own is gone: the next, or the last
    (buttons[Math.min(place, buttons.length - 1)] ?? document.getElementById("enrolled-title")).focus();
  };
  dialog.showModal();
}

// Tabs: arrows move between them, as the pattern of the ARIA authoring practices has it

const tabs = [...document.querySelectorAll("[role=tab]")];

function select(tab) {
  for (const each of tabs) {
    const chosen = each === tab;
    each.setAttribute("aria-selected", chosen);
    each.tabIndex = chosen ? 0 : -1;
    panel(each.getAttribute("aria-controls")).hidden = !chosen;
  }
  if (tab.id === "tab-people") listPeople();
}

/** Selects a tab because the person asked; a reload, or a link, then opens it again. */
function go(tab) {
  select(tab);
  tab.focus();
  history.replaceState(null, "", `#${tab.getAttribute("aria-controls")}`);
}

const STEPS = { ArrowRight: 1, ArrowLeft: -1 };

for (const tab of tabs) {
  tab.addEventListener("click", () => go(tab));
  tab.addEventListener("keydown", (event) => {
    const place = tabs.indexOf(tab);
    let next = null;
    if (event.key in STEPS) next = tabs.at((place + STEPS[event.key]) % tabs.length);
    else if (event.key === "Home") next = tabs[0];
    else if (event.key === "End") next = tabs.at(-1);
    if (next === null) return;
    event.preventDefault();
    go(next);
  });
}

const questions = { compare, identify, people: enrol };
document.addEventListener("paste", (event) => {
  const files = [...event.clipboardData.files];
  const open = tabs.find((tab) => tab.getAttribute("aria-selected") === "true").getAttribute("aria-controls");
  if (files.length) questions[open].paste(files);
});
// A photograph that misses its place must not replace the page.
for (const kind of ["dragover", "drop"]) document.addEventListener(kind, (event) => event.preventDefault());

select(tabs.find((tab) => `#${tab.getAttribute("aria-controls")}` === location.hash) ?? tabs[0]);

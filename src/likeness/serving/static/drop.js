// A place for photographs: chosen, dropped or pasted, shown before anything is sent.

import { el, plural } from "./dom.js";

const MAX_MB = Number(document.body.dataset.maxMb);
const MAX_FILES = Number(document.body.dataset.maxFiles);

export class Drop {
  /** @param {HTMLElement} box a .drop  @param {(complaint: string | null) => void} changed */
  constructor(box, changed) {
    this.box = box;
    this.input = box.querySelector("input");
    this.previews = box.querySelector(".previews");
    this.clearButton = box.querySelector(".clear");
    this.changed = changed;
    this.files = [];
    this.places = 1;
    this.input.addEventListener("change", () => this.take([...this.input.files]));
    this.clearButton.addEventListener("click", () => {
      this.clear();
      this.input.focus();
    });
    for (const kind of ["dragenter", "dragover"]) box.addEventListener(kind, (event) => this.hover(event, true));
    for (const kind of ["dragleave", "drop"]) box.addEventListener(kind, (event) => this.hover(event, false));
    box.addEventListener("drop", (event) => this.take([...event.dataTransfer.files]));
  }

  get name() {
    return this.input.name;
  }

  hover(event, over) {
    event.preventDefault();
    this.box.classList.toggle("over", over);
  }

  take(files) {
    if (files.length === 0) return;
    const wanted = this.input.multiple ? files : files.slice(0, 1);
    const complaint = this.tooMany(files.length) ?? complaintAbout(wanted);
    this.files = complaint === null ? wanted : []; // what was there before is not what the person sees chosen
    if (complaint !== null) this.input.value = "";
    this.show();
    this.changed(complaint);
    if (complaint === null && files.length > wanted.length) this.overflow?.(files.slice(wanted.length));
  }

  tooMany(count) {
    const most = this.input.multiple ? MAX_FILES : this.places;
    return count > most ? `At most ${plural(most, "photograph is", "photographs are")} taken at once; these are ${count}.` : null;
  }

  clear() {
    this.files = [];
    this.input.value = "";
    this.show();
    this.changed(null);
  }

  show() {
    for (const image of this.previews.querySelectorAll("img")) URL.revokeObjectURL(image.src);
    this.previews.replaceChildren(...this.files.map(preview));
    this.previews.classList.toggle("many", this.files.length > 1);
    this.box.classList.toggle("full", this.files.length > 0);
    this.clearButton.hidden = this.files.length === 0;
  }
}

function preview(file) {
  const image = el("img", { src: URL.createObjectURL(file), alt: file.name });
  image.addEventListener("error", () => image.replaceWith(el("span", { class: "unseen" }, file.name)));
  return image;
}

function complaintAbout(files) {
  for (const file of files) {
    if (file.type && !file.type.startsWith("image/")) return `${file.name} is no image.`;
    if (file.size > MAX_MB * 2 ** 20) return `${file.name} is larger than ${MAX_MB} MB, the most that is taken.`;
  }
  return null;
}

// Moves threshold, histogram, confusion and rates together.
"use strict";
(() => {
  const root = document.querySelector(".explorer");
  if (!root) return;
  const one = (name) => root.querySelector(`[data-${name}]`);
  const { mated, nonMated, threshold, low, high, width } = JSON.parse(one("scores").textContent);
  const slider = one("slider");
  let chosen = threshold;

  const below = (scores, limit) => {
    let from = 0, to = scores.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (scores[middle] < limit) from = middle + 1; else to = middle;
    }
    return from;
  };
  const count = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, "\u202f");
  const percent = (share) => `${(100 * share).toFixed(1)}\u202f%`;
  const rate = (hits, total) => {
    const z = 1.959964, share = hits / total, scale = 1 + z * z / total;
    const middle = (share + z * z / (2 * total)) / scale;
    const reach = z * Math.sqrt(share * (1 - share) / total + z * z / (4 * total * total)) / scale;
    const from = Math.max(0, middle - reach), to = Math.min(1, middle + reach);
    return `${percent(share)} (${(100 * from).toFixed(1)} to ${percent(to)})`;
  };
  const number = (value) => {
    const size = Math.abs(value), small = size > 0 && size < 0.1;
    const text = small ? value.toPrecision(3) : value.toFixed(size < 100 ? 3 : 1);
    return text.replace("-", "\u2212");
  };

  const show = (limit) => {
    const falseNonMatches = below(mated, limit), trueNonMatches = below(nonMated, limit);
    const trueMatches = mated.length - falseNonMatches, falseMatches = nonMated.length - trueNonMatches;
    const counts = { trueMatches, falseNonMatches, trueNonMatches, falseMatches };
    for (const [name, value] of Object.entries(counts)) one(name.toLowerCase()).textContent = count(value);
    one("fnmr").textContent = rate(falseNonMatches, mated.length);
    one("fmr").textContent = rate(falseMatches, nonMated.length);
    one("accuracy").textContent = rate(trueMatches + trueNonMatches, mated.length + nonMated.length);
    one("value").textContent = number(limit) + (limit === threshold ? ", that of the model" : "");
    const place = Math.round(10 * width * Math.min(1, Math.max(0, (limit - low) / (high - low)))) / 10;
    one("line").setAttribute("transform", `translate(${place})`);
    one("rejected").setAttribute("width", place);
    one("accepted").setAttribute("x", place);
    slider.value = limit;
    slider.setAttribute("aria-valuetext", number(limit));
  };
  const choose = (limit) => show(chosen = limit);

  slider.addEventListener("input", () => {
    const value = Number(slider.value);
    choose(value - low < 1e-9 * (high - low) ? low : value); // the browser keeps fewer digits of the left end
  });
  one("reset").addEventListener("click", () => choose(threshold));
  addEventListener("beforeprint", () => show(threshold));
  addEventListener("afterprint", () => show(chosen));
  one("control").hidden = false;
})();

"use strict";
// Puts new contents into the slots that have changed, and draws the history. It asks the observer alone, and changes nothing there.
(() => {
  const STATE_MS = 2000, POINTS = 240, SVG = "http://www.w3.org/2000/svg", WIDTH = 600, HEIGHT = 120;
  const one = selector => document.querySelector(selector);
  const shown = new Map();
  const lost = one("#lost");
  let hours = 1, limits = {}, history = null, samples = 0, drawn = "", answeredAt = Date.now();

  const two = figure => String(figure).padStart(2, "0");
  const clock = (seconds, long) => {
    const time = new Date(seconds * 1000), day = `${two(time.getUTCMonth() + 1)}-${two(time.getUTCDate())} `;
    const minute = `${two(time.getUTCHours())}:${two(time.getUTCMinutes())}`;
    return long ? `${minute}:${two(time.getUTCSeconds())} UTC` : (hours > 6 ? day : "") + minute;
  };
  const units = (value, step, names) => {
    let unit = 0;
    while (value >= step && unit < names.length - 1) { value /= step; unit += 1; }
    return `${Number(value.toPrecision(3))}${names[unit]}`;
  };
  const percent = value => `${Number(value.toPrecision(3))} %`;
  const FORMS = {
    score: value => value.toFixed(0),
    memory_bytes: value => units(value, 1024, ["", "Ki", "Mi", "Gi", "Ti"]),
    cpu_percent: percent,
    response_p95_seconds: value => value < 1 ? `${Number((value * 1000).toPrecision(3))} ms` : `${Number(value.toPrecision(3))} s`,
    error_percent: percent,
    cache_hit_percent: percent,
  };
  // The highest value of the axis. A limit that is far above everything would press the line flat: its line is left out.
  const TOPS = {
    score: () => 105,
    cache_hit_percent: () => 105,
    memory_bytes: (most, limit) => Math.max(most * 1.1, (limit || 0) * 1.05),
    cpu_percent: (most, limit) => Math.max(most * 1.1, limit * 1.15),
    error_percent: (most, limit) => Math.max(most * 1.1, limit * 1.15),
    response_p95_seconds: (most, limit) => most * 4 < limit ? most * 1.5 : Math.max(most, limit) * 1.15,
  };

  async function ask(path) {
    const answer = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(5000) });
    if (!answer.ok) throw new Error(`${path} answers ${answer.status}`);
    return answer.json();
  }

  function show(state) {
    for (const slot of document.querySelectorAll("[data-slot]")) {
      const name = slot.dataset.slot, content = state.slots[name];
      if (shown.get(name) !== content) {
        slot.innerHTML = content;
        shown.set(name, content);
      }
    }
    document.body.dataset.tone = state.tone;
    document.title = state.title;
    limits = state.limits;
    samples = state.samples;
  }

  function element(name, attributes) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  }

  function outline(points, across, top) {
    // A break in the line where nothing is known, or where nobody has looked.
    const parts = [];
    let part = [];
    points.forEach(([at, value], index) => {
      const gap = index > 0 && at - points[index - 1][0] > across.gap;
      if (value === null || gap) { if (part.length) parts.push(part); part = []; }
      if (value !== null) part.push([across.x(at).toFixed(1), (HEIGHT * (1 - value / top)).toFixed(1)]);
    });
    if (part.length) parts.push(part);
    const line = parts.map(each => `M${each.map(point => point.join(" ")).join("L")}${each.length === 1 ? "h.01" : ""}`).join("");
    const under = parts.map(each => `M${each[0][0]} ${HEIGHT}L${each.map(point => point.join(" ")).join("L")}L${each.at(-1)[0]} ${HEIGHT}Z`).join("");
    return [line, under];
  }

  function plot(figure) {
    const name = figure.dataset.plot, form = FORMS[name], limit = limits[name] && limits[name].value;
    const points = history.at.map((at, index) => [at, history.series[name][index]]);
    const known = points.filter(([, value]) => value !== null);
    figure.hidden = false;
    if (!known.length) {
      figure.replaceChildren(Object.assign(document.createElement("p"), { className: "none", textContent: "not measured in this time" }));
      return;
    }
    // A bot that is watched for less than that is shown from its first sample on.
    const first = Math.max(history.now - hours * 3600, Math.min(points[0][0], history.now - 60)), values = known.map(([, value]) => value);
    const most = Math.max(...values), least = Math.min(...values);
    const top = TOPS[name](most, limit) || 1;
    const step = points.length > 1 ? (points.at(-1)[0] - points[0][0]) / (points.length - 1) : history.interval_seconds;
    const across = { x: at => WIDTH * (at - first) / (history.now - first), gap: 3 * Math.max(step, history.interval_seconds) };
    const [line, under] = outline(points, across, top);
    const span = one(`[data-hours="${hours}"]`).textContent;
    const svg = element("svg", { class: "plot", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img",
      "aria-label": `${span}: ${form(least)} to ${form(most)}, last ${form(values.at(-1))}` });
    svg.append(element("path", { class: "under", d: under }), element("path", { d: line }));
    const hasBound = limit !== null && limit <= top;
    if (hasBound) {
      const y = (HEIGHT * (1 - limit / top)).toFixed(1);
      svg.append(element("path", { class: "bound", d: `M0 ${y}H${WIDTH}` }));
    }
    const pointed = element("path", { class: "pointed" });
    svg.append(pointed);
    const caption = document.createElement("figcaption");
    const rest = [clock(first), least === most ? form(most) : `${form(least)} to ${form(most)}`, clock(history.now)];
    const tell = words => caption.replaceChildren(...words.map(word => Object.assign(document.createElement("span"), { textContent: word })));
    tell(rest);
    svg.addEventListener("pointermove", event => {
      const box = svg.getBoundingClientRect(), at = first + (history.now - first) * (event.clientX - box.left) / box.width;
      const [time, value] = known.reduce((best, point) => Math.abs(point[0] - at) < Math.abs(best[0] - at) ? point : best);
      pointed.setAttribute("d", `M${across.x(time).toFixed(1)} 0V${HEIGHT}`);
      tell(["", `${clock(time, true)}: ${form(value)}`, ""]);
    });
    svg.addEventListener("pointerleave", () => { pointed.removeAttribute("d"); tell(rest); });
    figure.replaceChildren(svg, caption);
    // Where a limit is drawn, its height is known; else the highest value of the axis has to be said.
    if (!hasBound) figure.append(Object.assign(document.createElement("span"), { className: "top", textContent: form(top), ariaHidden: "true" }));
  }

  async function draw() {
    const wanted = `${hours} ${samples} ${JSON.stringify(limits)}`;
    if (wanted === drawn) return;
    // While somebody points at a plot it stays as it is.
    if (history && history.hours === hours && document.querySelector(".plot:hover")) return;
    const asked = hours, answer = await ask(`/history/samples?hours=${hours}&points=${POINTS}`);
    if (asked !== hours) return;
    history = answer;
    document.querySelectorAll("[data-plot]").forEach(plot);
    one("#remembered").textContent = history.samples ? `${history.samples} samples, the first at ${clock(history.at[0], true)}` : "no samples yet";
    drawn = wanted;
  }

  async function turn() {
    try {
      const state = await ask("/page");
      show(state);
      await draw();
      answeredAt = Date.now();
      lost.hidden = true;
      document.body.classList.remove("stale");
    } catch (error) {
      const seconds = Math.round((Date.now() - answeredAt) / 1000);
      lost.textContent = `The observer has not answered for ${seconds} s (${error.message}): what is below is old. Does the port-forward still run?`;
      lost.hidden = false;
      document.body.classList.add("stale");
      document.title = `? No answer · ${one("h1").textContent}`;
    }
  }

  let waiting = 0, turning = false;
  async function run() {
    clearTimeout(waiting);
    if (turning) return;
    turning = true;
    if (!document.hidden) await turn();
    turning = false;
    waiting = setTimeout(run, STATE_MS);
  }

  for (const button of document.querySelectorAll("#spans button")) {
    button.addEventListener("click", () => {
      hours = Number(button.dataset.hours);
      document.querySelectorAll("#spans button").forEach(each => each.setAttribute("aria-pressed", String(each === button)));
      draw().catch(() => run());
    });
    button.setAttribute("aria-pressed", String(Number(button.dataset.hours) === hours));
  }
  one("#spans").hidden = false;
  document.addEventListener("visibilitychange", () => { if (!document.hidden) run(); });
  run();
})();

// Draws the report from the JSON in it. No network, nothing stored.
"use strict";
(() => {
  const MINUTE = 60;
  const DAY = 24 * 60 * MINUTE;
  const report = JSON.parse(document.getElementById("data").textContent);
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const two = (number) => String(number).padStart(2, "0");
  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

  function clock(seconds) {
    const at = new Date(seconds * 1000);
    return `${DAYS[at.getUTCDay()]} ${at.getUTCFullYear()}-${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())} ` +
      `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
  }

  // Dates at midnight, hours between.
  function ticks(_, places) {
    return places.map((seconds) => {
      const at = new Date(seconds * 1000);
      return seconds % DAY === 0 ? `${DAYS[at.getUTCDay()]} ${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]}`
        : `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
    });
  }

  function number(value, digits = 2) {
    return value == null ? "not known" : value.toLocaleString("en", { maximumFractionDigits: digits });
  }

  // Values are written where they change: [place, value] pairs.
  function unpack(pairs, length) {
    const values = new Array(length);
    let next = 0;
    let value = null;
    for (let place = 0; place < length; place++) {
      if (next < pairs.length && pairs[next][0] === place) {
        value = pairs[next][1];
        next += 1;
      }
      values[place] = value;
    }
    return values;
  }

  function draw(stream, section) {
    const length = stream.demand.length;
    const times = stream.demand.map((_, place) => stream.start + place * stream.step);
    const end = stream.start + length * stream.step;
    const nominal = unpack(stream.nominal, length);
    const usable = unpack(stream.usable, length);
    const budget = unpack(stream.budget, length);
    const refused = unpack(stream.refused, length);
    // Nothing is known of a gap, so no line is drawn through it.
    const demand = stream.demand.slice();
    for (const [from, to] of stream.gaps) {
      const first = Math.ceil((from - stream.start) / stream.step);
      demand.fill(null, first, Math.floor((to - stream.start) / stream.step));
    }
    const said = section.querySelector(".said");
    const main = section.querySelector(".main");
    let shown = { min: stream.start, max: end };
    let charts = [];
    let place = 0;
    let ours = false;
    let pointed = null;

    function near(seconds) {
      const reach = Math.max((shown.max - shown.min) / 60, stream.step);
      let best = null;
      for (const action of stream.actions) {
        const away = Math.abs(action.at - seconds);
        if (away <= reach && (best === null || away < Math.abs(best.at - seconds))) best = action;
      }
      return best;
    }

    function tell(at) {
      if (at == null || at < 0 || at >= length) return;
      place = at;
      const parts = [`${clock(times[at])}: demand ${number(demand[at])}, capacity ${number(nominal[at])} shards`];
      if (usable[at] !== nominal[at]) parts.push(`usable ${number(usable[at])}`);
      parts.push(`refused ${number(100 * refused[at], 3)} %`);
      parts.push(`${budget[at]} of ${report.calls_a_day} calls used in 24 h`);
      said.replaceChildren(document.createTextNode(parts.join(", ") + "."));
      const action = near(times[at]);
      if (action) {
        const line = document.createElement("div");
        const size = document.createElement("b");
        size.textContent = `${clock(action.at)}  ${action.from} → ${action.to}`;
        line.append(size, document.createTextNode(`  ${action.why}`));
        said.append(line);
      }
    }

    function zoom(min, max) {
      const width = Math.min(Math.max(max - min, 10 * stream.step), end - stream.start);
      let from = Math.max(stream.start, Math.min(min, end - width));
      shown = { min: from, max: from + width };
      ours = true;
      for (const chart of charts) chart.setScale("x", shown);
      ours = false;
      for (const button of section.querySelectorAll("button[data-day]")) {
        const day = Number(button.dataset.day);
        const only = shown.min === Math.max(day, stream.start) && shown.max === Math.min(day + DAY, end);
        button.setAttribute("aria-pressed", String(only));
      }
    }

    // What lies behind the lines: gaps, time on demand, and each action as a line.
    function behind(chart) {
      const { ctx } = chart;
      const { left, top, width, height } = chart.bbox;
      ctx.save();
      ctx.beginPath();
      ctx.rect(left, top, width, height);
      ctx.clip();
      for (const [spans, fill] of [[[[stream.start, stream.scored_from]], "warm-up"], [stream.gaps, "gap"], [stream.on_demand, "on-demand"]]) {
        ctx.fillStyle = colour(fill);
        for (const [from, to] of spans) {
          const a = chart.valToPos(from, "x", true);
          ctx.fillRect(a, top, Math.max(chart.valToPos(to, "x", true) - a, 1), height);
        }
      }
      ctx.restore();
    }

    function marks(chart) {
      const { ctx } = chart;
      const { top, left, width } = chart.bbox;
      const size = 4 * devicePixelRatio;
      ctx.save();
      ctx.fillStyle = colour("action");
      for (const action of stream.actions) {
        const x = chart.valToPos(action.at, "x", true);
        if (x < left || x > left + width) continue;
        const up = Number(action.to) > Number(action.from);
        ctx.beginPath();
        ctx.moveTo(x - size, top + (up ? 2 * size : 0));
        ctx.lineTo(x + size, top + (up ? 2 * size : 0));
        ctx.lineTo(x, top + (up ? 0 : 2 * size));
        ctx.fill();
      }
      ctx.restore();
    }

    function axis(label, more = {}) {
      return { stroke: colour("quiet"), grid: { stroke: colour("line"), width: 1 }, ticks: { stroke: colour("line") },
        label, labelSize: 16, size: 52, font: "12px system-ui, sans-serif", labelFont: "12px system-ui, sans-serif", ...more };
    }

    function chart(holder, height, label, series, data, more = {}) {
      const options = {
        width: Math.max(holder.clientWidth, 240),
        height,
        padding: [8, 30, 0, 0],
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
        legend: { show: false },
        cursor: { sync: { key: stream.key }, drag: { x: true, y: false, setScale: false }, points: { size: 6 } },
        scales: { x: { time: true, min: shown.min, max: shown.max }, y: { range: (_, low, high) => [0, Math.max(high, more.least || 0) * 1.05] } },
        axes: [axis(undefined, { size: 34, space: 72, values: ticks }), axis(label)],
        series: [{}, ...series],
        hooks: {
          drawClear: [behind],
          draw: more.marks ? [marks] : [],
          // Only what a pointer did: a cursor is set by zooming too.
          setCursor: [(self) => {
            if (!self.cursor.event || self.cursor.event === pointed) return;
            pointed = self.cursor.event;
            tell(self.cursor.idx);
          }],
          setSelect: [(self) => {
            if (ours || self.select.width < 4) return;
            const from = self.posToVal(self.select.left, "x");
            const to = self.posToVal(self.select.left + self.select.width, "x");
            self.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
            zoom(from, to);
          }],
        },
      };
      return new uPlot(options, [times, ...data], holder);
    }

    function build() {
      for (const old of charts) old.destroy();
      const steps = uPlot.paths.stepped({ align: 1 });
      const lines = [
        { stroke: colour("demand"), fill: colour("demand-fill"), width: 1.5 },
        { stroke: colour("nominal"), width: 2, paths: steps },
      ];
      const data = [demand, nominal];
      if (usable.some((value, at) => value !== nominal[at])) {
        lines.push({ stroke: colour("usable"), width: 1.5, dash: [6, 4], paths: steps });
        data.push(usable);
      }
      const wide = innerWidth > 640;
      charts = [
        chart(main, wide ? 340 : 260, "shards", lines, data, { marks: true }),
        chart(section.querySelector(".refused"), 130, "% refused",
          [{ stroke: colour("refused"), fill: colour("refused"), width: 1, paths: steps }],
          [refused.map((share) => 100 * share)], { least: 1 }),
        chart(section.querySelector(".budget"), 130, "calls, 24 h", [{ stroke: colour("action"), width: 1.5, paths: steps }],
          [budget], { least: report.calls_a_day }),
      ];
    }

    function move(by) {
      tell(Math.max(0, Math.min(length - 1, place + by)));
      const at = times[place];
      const width = shown.max - shown.min;
      if (at < shown.min || at > shown.max) zoom(at - width / 2, at + width / 2);
      const left = charts[0].valToPos(at, "x");
      charts[0].setCursor({ left, top: 10 }, false);
    }

    const turn = { ArrowLeft: -1, ArrowRight: 1 };
    main.addEventListener("keydown", (event) => {
      const width = shown.max - shown.min;
      const middle = (shown.max + shown.min) / 2;
      const step = Math.max(1, Math.round(width / stream.step / 100));
      if (event.key in turn) move(turn[event.key] * (event.shiftKey ? 10 : 1) * step);
      else if (event.key === "+" || event.key === "=") zoom(middle - width / 4, middle + width / 4);
      else if (event.key === "-") zoom(middle - width, middle + width);
      else if (event.key === "Home" || event.key === "Escape") zoom(stream.start, end);
      else if (event.key === "PageUp") zoom(shown.min - width, shown.max - width);
      else if (event.key === "PageDown") zoom(shown.min + width, shown.max + width);
      else return;
      event.preventDefault();
    });
    section.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      if (button.dataset.day) zoom(Number(button.dataset.day), Number(button.dataset.day) + DAY);
      if (button.dataset.all) zoom(stream.start, end);
      if (button.dataset.at) {
        const at = Number(button.dataset.at);
        zoom(at - DAY / 8, at + DAY / 8);
        tell(Math.round((at - stream.start) / stream.step));
        main.focus();
        main.scrollIntoView({ block: "center" });
      }
    });
    build();
    drawCurve(stream, section);
    return { again: build, size: () => charts.forEach((one) => one.setSize({ width: Math.max(one.root.parentNode.clientWidth, 240), height: one.height })) };
  }

  // What was learnt of a stream: which share it refuses at which use.
  function drawCurve(stream, section) {
    const holder = section.querySelector(".curve");
    if (!holder || !stream.curve) return;
    holder.replaceChildren();
    const axis = (label) => ({ stroke: colour("quiet"), grid: { stroke: colour("line"), width: 1 }, label, labelSize: 16, size: 48,
      font: "12px system-ui, sans-serif", labelFont: "12px system-ui, sans-serif" });
    new uPlot({
      width: Math.min(Math.max(holder.clientWidth, 240), 640), height: 220, legend: { show: false },
      scales: { x: { time: false } }, cursor: { drag: { x: false, y: false } },
      axes: [axis("use of the open shards, %"), axis("refused, %")],
      series: [{}, { stroke: colour("refused"), width: 2 }],
    }, [stream.curve.map(([use]) => 100 * use), stream.curve.map(([, share]) => 100 * share)], holder);
  }

  const drawn = new Map();
  const begin = (section) => {
    if (!drawn.has(section)) drawn.set(section, draw(report.streams[Number(section.dataset.stream)], section));
  };
  for (const section of document.querySelectorAll("[data-stream]")) {
    const folded = section.closest("details");
    if (!folded || folded.open) begin(section);
    else folded.addEventListener("toggle", () => { if (folded.open) begin(section); });
  }
  let resized = 0;
  addEventListener("resize", () => {
    cancelAnimationFrame(resized);
    resized = requestAnimationFrame(() => drawn.forEach((one) => one.size()));
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawn.forEach((one) => one.again()));
  document.documentElement.dataset.drawn = "yes";
})();

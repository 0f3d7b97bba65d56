  // Designs by the reader's axes: each run's points, its front, and what lies over the budget.
  const pareto = document.getElementById("pareto");
  if (pareto) {
    const given = data("pareto-data");
    const several = given.runs.length > 1;
    const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
    const KINDS = [["searched", "searched design", "circle", 9], ["preset", "preset of a paper", "diamond", 11], ["winner", "winner", "star", 16]];
    const axes = () => [
      document.querySelector('[data-axis="x"] input:checked').value,
      document.querySelector('select[data-axis="y"]').value,
    ];

    function written(key, value) {
      const axis = given.axes[key];
      if (axis.percent) return `${(100 * value).toFixed(1)}%`;
      const text = axis.log ? whole.format(value) : String(Number(value.toPrecision(4)));
      return axis.unit ? `${Number(value.toPrecision(3))}${axis.unit}` : axis.bytes ? `${text} bytes` : text;
    }

    function told(run, i, x, y) {
      const lines = [`<b>${escaped(run.label[i])}</b>, ${several ? `${escaped(run.name)}, ` : ""}trial ${run.trial[i]}`];
      for (const key of new Set([y, x, ...given.x])) {
        if (run[key][i] !== null) lines.push(`${escaped(given.axes[key].label)} ${written(key, run[key][i])}`);
      }
      if (run.told) lines.push(...run.told[i].map(escaped));
      return lines.join("<br>");
    }

    // The designs that none beats in both axes, in order of x; of two costs there is no front to speak of.
    function frontOf(run, x, y) {
      if (given.axes[y].log) return [];
      const sign = [given.axes[x].better, given.axes[y].better];
      const order = run.trial.map((_, i) => i)
        .filter((i) => run.eligible[i] && run[x][i] !== null && run[y][i] !== null)
        .sort((a, b) => sign[0] * (run[x][b] - run[x][a]) || sign[1] * (run[y][b] - run[y][a]) || a - b);
      const kept = [];
      for (const i of order) if (!kept.length || sign[1] * (run[y][i] - run[y][kept[kept.length - 1]]) > 0) kept.push(i);
      return kept;
    }

    // The front's corners, drawn on to the dearest design.
    function stepsOf(run, front, x, y) {
      const ends = front.map((i) => [run[x][i], run[y][i]]);
      const dearest = run[x].reduce((a, b) => (b === null ? a : Math.max(a, b)), 0);
      if (ends.length && dearest > ends[ends.length - 1][0]) ends.push([dearest, ends[ends.length - 1][1]]);
      return ends;
    }

    function tracesOf(run, place, x, y, bars) {
      const dash = several ? place : 0;
      const role = (kind) => (several ? `run${place % 8}` : kind);
      const group = several ? { legendgroup: run.name } : {};
      const front = frontOf(run, x, y);
      const traces = [];
      if (front.length) {
        const ends = stepsOf(run, front, x, y);
        traces.push({
          type: "scatter", mode: "lines", name: several ? escaped(run.name) : "Pareto front", ...group, hoverinfo: "skip",
          x: ends.map((end) => end[0]), y: ends.map((end) => end[1]), line: { shape: "hv", width: 2 }, meta: { role: role("front"), dash },
        });
      }
      KINDS.forEach(([kind, name, symbol, size], number) => {
        const rows = run.role.map((own, i) => (own === number ? i : -1)).filter((i) => i >= 0 && run[x][i] !== null && run[y][i] !== null);
        if (!rows.length) return;
        const trace = {
          type: "scatter", mode: "markers", name, legendgroup: several ? run.name : kind, showlegend: !several,
          x: rows.map((i) => run[x][i]), y: rows.map((i) => run[y][i]),
          customdata: rows.map((i) => [place, i]), hovertext: rows.map((i) => told(run, i, x, y)),
          hovertemplate: "%{hovertext}<extra></extra>", marker: { symbol, size: several ? size - 2 : size }, meta: { role: role(kind) },
        };
        // Bars have a trace of their own: thousands of points do not need thousands of empty bars.
        const barred = bars && run.low && y === "accuracy" ? rows.filter((i) => (number || front.includes(i)) && run.low[i] !== null) : [];
        if (barred.length) {
          traces.push({
            type: "scatter", mode: "markers", hoverinfo: "skip", showlegend: false, legendgroup: several ? run.name : kind, meta: { role: role(kind) },
            x: barred.map((i) => run[x][i]), y: barred.map((i) => run[y][i]), marker: { size: 1 },
            error_y: { type: "data", symmetric: false, thickness: 1, width: 3, array: barred.map((i) => run.high[i] - run[y][i]), arrayminus: barred.map((i) => run[y][i] - run.low[i]) },
          });
        }
        traces.push(trace);
      });
      return traces;
    }

    function untried(x, y, floor) {
      const rows = given.untrained;
      if (!rows.label.length || !rows[x]) return [];
      const between = rows[y];
      return [{
        type: "scatter", mode: "markers", name: "preset, not tried", x: rows[x], y: between || rows.label.map(() => floor),
        hovertext: rows.label.map((label, i) => `<b>${escaped(label)}</b>, not tried<br>${escaped(given.axes[x].label)} ${written(x, rows[x][i])}`),
        hovertemplate: "%{hovertext}<extra></extra>", cliponaxis: false,
        marker: { symbol: between ? "diamond-open" : "line-ns-open", size: between ? 9 : 11 }, meta: { role: "front", open: true },
      }];
    }

    function limit(key) {
      const limits = given.runs.map((run) => run.limits[key]);
      return limits.every(Boolean) ? limits.reduce((a, b) => (b[0] > a[0] ? b : a)) : null;
    }

    function axisOf(key, values, end) {
      const { title, log, percent } = given.axes[key];
      const axis = { title: { text: escaped(title) } };
      const places = (end ? [...values, end[0]] : values).map((value) => (log ? Math.log10(value) : value));
      const low = places.reduce((a, b) => Math.min(a, b)), high = places.reduce((a, b) => Math.max(a, b));
      const room = 0.07 * (high - low) || 0.06;
      axis.range = [low - room, high + room * (end ? 2 : 1)];
      if (percent) axis.tickformat = ".0%";
      if (log) Object.assign(axis, { type: "log", exponentformat: "SI", dtick: high - low < 0.7 ? "D1" : high - low < (narrow.matches ? 1.5 : 2.6) ? "D2" : 1 });
      return axis;
    }

    function draw() {
      const [x, y] = axes();
      const bars = document.querySelector("[data-bars]")?.checked;
      const traces = given.runs.flatMap((run, place) => tracesOf(run, place, x, y, bars));
      const both = given.runs.flatMap((run) => run.trial.map((_, i) => [run[x][i], run[y][i]])).filter(([a, b]) => a !== null && b !== null);
      const spans = given.runs.flatMap((run) => (bars && run.low && y === "accuracy" ? frontOf(run, x, y).flatMap((i) => [run.low[i], run.high[i]]) : []));
      const over = [limit(x), given.axes[y].log ? limit(y) : null];
      const layout = { xaxis: axisOf(x, both.map((pair) => pair[0]), over[0]), yaxis: axisOf(y, [...both.map((pair) => pair[1]), ...spans.filter((end) => end !== null)], over[1]) };
      layout.shapes = [];
      const notes = [];
      for (const [end, along, across] of [[over[0], "x", "y"], [over[1], "y", "x"]]) {
        if (!end) continue;
        layout.shapes.push({ type: "rect", layer: "below", line: { width: 0 }, [`${along}ref`]: along, [`${across}ref`]: "paper", [`${along}0`]: end[0], [`${along}1`]: end[0] * 1e3, [`${across}0`]: 0, [`${across}1`]: 1 });
        notes.push(along === "x"
          ? { x: Math.log10(end[0]), y: 1, yref: "paper", xanchor: "right", yanchor: "top", text: `budget ${end[1]} ▸` }
          : { y: Math.log10(end[0]), x: 1, xref: "paper", xanchor: "right", yanchor: "top", text: `budget ${end[1]} ▴` });
      }
      for (const note of notes) Object.assign(note, { showarrow: false, font: { color: colour("quiet"), size: 12 } });
      const floor = layout.yaxis.type === "log" ? 10 ** layout.yaxis.range[0] : layout.yaxis.range[0];
      const shown = [...traces, ...untried(x, y, floor)];
      layout.annotations = notes;
      pareto.dataset.fixed = notes.length;
      Plotly.react(pareto, shown.map(painted), layoutOf(layout), CONFIG).then(label);
    }

    // Presets are named, once each; in a crowded plot as many as there is room for.
    function label() {
      const [x, y] = axes();
      const bars = document.querySelector("[data-bars]")?.checked && y === "accuracy";
      const lines = [];
      for (const run of given.runs) {
        const front = frontOf(run, x, y);
        lines.push(stepsOf(run, front, x, y));
        run.trial.forEach((_, i) => {
          if (bars && run.low && run.low[i] !== null && (run.role[i] || front.includes(i))) lines.push([[run[x][i], run.low[i]], [run[x][i], run.high[i]]]);
        });
      }
      const names = new Map();
      const marks = [];
      given.runs.forEach((run) => run.trial.forEach((_, i) => {
        if (run[x][i] === null || run[y][i] === null) return;
        marks.push([run[x][i], run[y][i]]);
        if ((run.role[i] === 2 && !several) || (run.role[i] === 1 && !names.has(run.label[i]))) {
          names.set(run.role[i] === 2 ? "winner" : run.label[i], { x: run[x][i], y: run[y][i], text: run.label[i].length > 28 ? `${run.label[i].slice(0, 27)}…` : run.label[i], rank: -run.role[i] });
        }
      }));
      const labels = [...names.values()].sort((a, b) => a.rank - b.rank);
      const fixed = pareto.layout.annotations.slice(0, Number(pareto.dataset.fixed));
      Plotly.relayout(pareto, { annotations: [...fixed, ...labelled(pareto, narrow.matches ? labels.slice(0, 6) : labels, marks, lines)] });
    }

    draw();
    drawings.push(draw);
    for (const control of document.querySelectorAll("[data-axis], [data-bars]")) control.addEventListener("change", draw);
    pareto.on("plotly_relayout", (event) => { if (!("annotations" in event)) label(); });
    pareto.on("plotly_click", ({ points: [point] }) => {
      if (!point.customdata) return;
      const [place, i] = point.customdata;
      const run = given.runs[place];
      const facts = given.y.filter((key) => run[key][i] !== null).map((key) => [given.axes[key].title, written(key, run[key][i])]);
      openCard(run.card[i], { name: run.label[i], run: run.name, trial: run.trial[i], facts });
    });
  }

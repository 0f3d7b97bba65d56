  // Plots whose data is a list of traces and a layout, or several of these to choose from.
  for (const target of document.querySelectorAll("[data-plot]")) {
    const given = data(target.dataset.plot);
    const choice = document.querySelector(`[data-shows="${target.id}"]`);
    const draw = () => {
      const plot = given.plots ? given.plots[Number(choice.value)] : given;
      const named = plot.layout.yaxis.ticktext;
      if (named) target.style.height = `${90 + 26 * named.length}px`;
      const layout = { ...plot.layout, showlegend: plot.traces.some((trace) => trace.name) };
      if (named) {
        const most = narrow.matches ? 18 : 32;
        const ticktext = named.map((name) => (name.length > most ? `${name.slice(0, most - 1)}…` : name));
        layout.yaxis = { ...layout.yaxis, ticktext };
        layout.margin = { l: 56, r: 12, t: 8, b: 48 };
      }
      Plotly.react(target, plot.traces.map(painted), layoutOf(layout), CONFIG).then(() => {
        if (named) Plotly.Plots.resize(target);
      });
    };
    if (choice) choice.addEventListener("change", draw);
    // What is inside closed details has no width yet.
    const details = target.closest("details:not([open])");
    if (details) details.addEventListener("toggle", () => Plotly.Plots.resize(target), { once: true });
    drawings.push(draw);
    draw();
  }

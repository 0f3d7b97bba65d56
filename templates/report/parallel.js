  // Pressing values keeps the lines that run through them; of one axis any, of several axes all.
  for (const picture of document.querySelectorAll("[data-parallel]")) {
    const lines = [...picture.querySelectorAll("polyline")].map((line) => ({ line, at: line.dataset.at.split(" ").map(Number) }));
    const count = picture.parentElement.querySelector("[data-parallel-count]");
    const press = (option) => {
      option.setAttribute("aria-pressed", option.getAttribute("aria-pressed") !== "true");
      const wanted = new Map();
      for (const own of picture.querySelectorAll('[aria-pressed="true"]')) {
        wanted.set(Number(own.dataset.axis), [...(wanted.get(Number(own.dataset.axis)) || []), Number(own.dataset.place)]);
      }
      let kept = 0;
      for (const { line, at } of lines) {
        const through = [...wanted].every(([axis, places]) => places.some((place) => Math.abs(at[axis] - place) < 0.05));
        line.classList.toggle("dim", !through);
        kept += through;
      }
      count.textContent = wanted.size ? `${kept} of ${lines.length} designs have it.` : "";
    };
    picture.addEventListener("click", (event) => {
      const option = event.target.closest(".option");
      if (option) press(option);
    });
    picture.addEventListener("keydown", (event) => {
      if (!event.target.matches(".option") || !["Enter", " "].includes(event.key)) return;
      event.preventDefault();
      press(event.target);
    });
  }

  // Names beside marks, where they cover neither marks nor each other; what fits nowhere is left out.
  function labelled(target, labels, marks, lines) {
    const { xaxis, yaxis } = target._fullLayout;
    const size = narrow.matches ? 10 : 11;
    const at = (x, y) => [xaxis.d2p(x), yaxis.d2p(y)];
    const inside = (x, y) => x >= 0 && y >= 0 && x <= xaxis._length && y <= yaxis._length;
    const taken = marks.map(([x, y]) => at(x, y)).filter(([x, y]) => inside(x, y)).map(([x, y]) => [x - 4, y - 4, x + 4, y + 4]);
    for (const steps of lines) { // level, then upright
      steps.map(([x, y]) => at(x, y)).forEach(([x, y], i, all) => {
        if (!i) return;
        taken.push([all[i - 1][0], all[i - 1][1] - 2, x, all[i - 1][1] + 2], [x - 2, Math.min(y, all[i - 1][1]), x + 2, Math.max(y, all[i - 1][1])]);
      });
    }
    const free = (box) => !taken.some((other) => box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3]);
    const found = [];
    for (const label of labels) {
      const [x, y] = at(label.x, label.y);
      if (!inside(x, y)) continue;
      const wide = 0.58 * size * label.text.length, high = size + 2;
      const sides = [
        ["left", "middle", 8, 0, x + 8, y - high / 2],
        ["right", "middle", -8, 0, x - 8 - wide, y - high / 2],
        ["center", "bottom", 0, -7, x - wide / 2, y - 7 - high],
        ["center", "top", 0, 7, x - wide / 2, y + 7],
        ["left", "bottom", 6, -5, x + 6, y - 5 - high],
        ["left", "top", 6, 5, x + 6, y + 5],
      ];
      for (const [xanchor, yanchor, xshift, yshift, left, top] of sides) {
        const box = [left, top, left + wide, top + high];
        if (!inside(box[0], box[1]) || !inside(box[2], box[3]) || !free(box)) continue;
        taken.push(box);
        found.push({
          x: xaxis.type === "log" ? Math.log10(label.x) : label.x,
          y: yaxis.type === "log" ? Math.log10(label.y) : label.y,
          text: escaped(label.text), showarrow: false, xanchor, yanchor, xshift, yshift: -yshift,
          borderpad: 0, font: { size, color: colour("quiet") },
        });
        break;
      }
    }
    return found;
  }

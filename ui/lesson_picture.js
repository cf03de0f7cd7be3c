// The moving pictures of the lesson: one scene per step. All data are sent once; while one drags,
// nothing is asked of the server. A locked scene shows what one knows before the question.

const signed = (text) => new Int8Array(bytes(text).buffer)
const wide = (text) => new Int16Array(bytes(text).buffer)
const SVG = "http://www.w3.org/2000/svg"
const MINUS = "\u2212"
const EDGE = 12 // units around a chart, for marks that lie on its rim
const FILM = 4000 // milliseconds from one end of a slider to the other
// Shapes of radius 4 around 0, for labels that colour alone must not tell apart.
const SHAPES = [
  "M4 0A4 4 0 1 1-4 0A4 4 0 1 1 4 0Z",
  "M0-5L5 0L0 5L-5 0Z",
  "M-3.7-3.7H3.7V3.7H-3.7Z",
  "M0-5L4.6 3.4H-4.6Z",
]
const STAR = "M0-11L2.9-3.7L10.6-3.4L4.6 1.4L6.5 8.9L0 4.7L-6.5 8.9L-4.6 1.4L-10.6-3.4L-2.9-3.7Z"

function add(parent, name, attributes = {}, text) {
  const inSvg = name === "svg" || parent.namespaceURI === SVG
  const made = inSvg ? document.createElementNS(SVG, name) : document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  if (text !== undefined) made.textContent = text
  parent.append(made)
  return made
}

const move = (made, attributes) => {
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
}

const format = (x, digits = 1) =>
  (x > 0.04 ? "+" : x < -0.04 ? MINUS : "") + Math.abs(x).toFixed(digits)
const percent = (x) => `${Math.round(100 * x)}%`

const drawn = (canvas) => (canvas.dataset.frames = Number(canvas.dataset.frames ?? 0) + 1)

const grey = (canvas, side, level) => {
  paintGrey(canvas, side, level)
  drawn(canvas)
}

const twoColours = (canvas, side, value, scale, colours) => {
  paintSigned(canvas, side, (i) => value(i) / scale, colours)
  drawn(canvas)
}

function figure(parent, caption, alt, kind = "") {
  const made = add(parent, "figure", { class: kind })
  const canvas = add(made, "canvas", { role: "img", "aria-label": alt })
  const text = caption ? add(made, "figcaption", {}, caption) : undefined
  return { made, canvas, text }
}

const hidden = (parent, caption, kind = "") => {
  const made = add(parent, "figure", { class: kind })
  add(made, "div", { class: "hidden", "aria-hidden": "true" }, "?")
  add(made, "figcaption", {}, caption)
}

function slider(parent, text, { min, max, step, value, film = true }, told, changed) {
  const row = add(parent, "div", { class: "slider" })
  const label = add(row, "label")
  add(label, "span", {}, text)
  const output = add(label, "output")
  const input = add(label, "input", { type: "range", min, max, step, value })
  let frame
  const update = () => {
    output.textContent = told(Number(input.value))
    input.setAttribute("aria-valuetext", output.textContent)
    changed(Number(input.value))
  }
  const stop = () => {
    cancelAnimationFrame(frame)
    frame = undefined
    if (button) button.textContent = "▶"
  }
  const play = (begun) => {
    button.textContent = "■"
    const next = (now) => {
      if (!input.isConnected) return
      const share = Math.min(1, (now - begun) / FILM)
      input.value = min + share * (max - min)
      update()
      if (share === 1) return stop()
      frame = requestAnimationFrame(next)
    }
    frame = requestAnimationFrame(next)
  }
  const button = film
    ? add(row, "button", { type: "button", "aria-label": `Play: ${text}` }, "▶")
    : undefined
  if (button) button.onclick = () => (frame ? stop() : play(performance.now()))
  input.oninput = () => {
    if (frame) stop()
    update()
  }
  update()
  return { input, update }
}

function legend(parent, data) {
  const made = add(parent, "p", { class: "legend" })
  data.signs.forEach((text, i) => {
    add(made, "span", { style: `background: rgb(${data.colours[i]})`, "aria-hidden": "true" })
    made.append(text)
  })
}

function numbers(root, data) {
  const { side, size } = data
  const face = bytes(data.face)
  const [main, beside] = [add(root, "div", { class: "main" }), add(root, "div", { class: "beside" })]
  const whole = figure(main, "", data.alts[0])
  grey(whole.canvas, side, (i) => face[i])
  if (data.locked) return hidden(beside, data.words.window)
  const frame = add(whole.made, "div", { class: "frame" })
  const table = add(beside, "div", { class: "numbers", "aria-hidden": "true" })
  table.style.gridTemplateColumns = `repeat(${size}, 1fr)`
  const cells = Array.from({ length: size * size }, () => add(table, "span"))
  add(beside, "p", { class: "small" }, data.words.line)
  const strip = add(beside, "canvas", { class: "strip", role: "img", "aria-label": data.words.line })
  const told = add(beside, "p", { class: "told" })
  const half = (size - 1) / 2
  let [row, column] = data.at
  Object.assign(whole.made, { tabIndex: 0 })
  move(whole.made, {
    class: "magnified",
    role: "slider",
    "aria-label": data.words.frame,
    "aria-valuemin": 1,
    "aria-valuemax": side * side,
  })
  const draw = () => {
    row = Math.max(half, Math.min(side - 1 - half, row))
    column = Math.max(half, Math.min(side - 1 - half, column))
    for (const [edge, place] of Object.entries({ top: row - half, left: column - half })) {
      frame.style[edge] = `${(100 * place) / side}%`
    }
    frame.style.width = frame.style.height = `${(100 * size) / side}%`
    cells.forEach((cell, k) => {
      const level = face[(row - half + Math.floor(k / size)) * side + column - half + (k % size)]
      cell.textContent = level
      cell.style.background = `rgb(${level},${level},${level})`
      cell.style.color = level > 125 ? "#000" : "#fff"
      cell.className = k === (size * size - 1) / 2 ? "middle" : ""
    })
    const image = new ImageData(side, 1)
    for (let i = 0; i < side; i++) {
      const level = face[row * side + i]
      image.data.set([level, level, level, 255], 4 * i)
    }
    move(strip, { width: side, height: 1 })
    strip.getContext("2d").putImageData(image, 0, 0)
    const number = row * side + column
    told.textContent = data.words.told
      .replace("{row}", row + 1)
      .replace("{column}", column + 1)
      .replace("{level}", face[number])
      .replace("{number}", (number + 1).toLocaleString("en"))
    move(whole.made, { "aria-valuenow": number + 1, "aria-valuetext": told.textContent })
  }
  const point = (event) => {
    const box = whole.canvas.getBoundingClientRect()
    column = Math.floor(((event.clientX - box.left) / box.width) * side)
    row = Math.floor(((event.clientY - box.top) / box.height) * side)
    draw()
  }
  whole.made.onpointerdown = whole.made.onpointermove = point
  whole.made.onkeydown = (event) => {
    const [down, right] =
      { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] }[event.key] ??
      []
    if (down === undefined) return
    event.preventDefault()
    row += down
    column += right
    draw()
  }
  draw()
}

function mean(root, data) {
  const { side } = data
  const faces = data.faces.map(bytes)
  const [main, beside] = [add(root, "div", { class: "main" }), add(root, "div", { class: "beside" })]
  const crowd = add(beside, "div", { class: "crowd" })
  const thumbs = faces.map((face, i) => {
    const canvas = add(crowd, "canvas", { role: "img", "aria-label": `${data.alts[0]} ${i + 1}` })
    grey(canvas, side, (p) => face[p])
    return canvas
  })
  if (data.locked) return hidden(main, data.words.mean)
  const sum = figure(main, data.words.mean, data.alts[1])
  const control = add(main, "div")
  slider(
    control,
    data.words.slider,
    { min: 1, max: faces.length, step: 1, value: 1 },
    (count) => String(count),
    (count) => {
      const total = new Float32Array(side * side)
      for (const face of faces.slice(0, count))
        for (let i = 0; i < total.length; i++) total[i] += face[i]
      grey(sum.canvas, side, (i) => total[i] / count)
      thumbs.forEach((canvas, i) => canvas.classList.toggle("out", i >= count))
    },
  )
}

function difference(root, data) {
  const { side } = data
  const [face, average] = [bytes(data.face), wide(data.mean)]
  const left = (i) => face[i] - average[i] / data.fine
  const [main, beside] = [add(root, "div", { class: "main" }), add(root, "div", { class: "beside" })]
  const row = add(beside, "div", { class: "thumbs" })
  grey(figure(row, data.words.face, data.alts[0]).canvas, side, (i) => face[i])
  grey(figure(row, data.words.mean, data.alts[1]).canvas, side, (i) => average[i] / data.fine)
  if (data.locked) return hidden(main, data.words.left)
  const rest = figure(row, data.words.left, data.alts[2])
  twoColours(rest.canvas, side, left, data.scale, data.colours)
  legend(beside, data)
  const sum = figure(main, "", data.alts[3])
  slider(
    main,
    data.words.slider,
    { min: -1, max: 2, step: 0.05, value: 1 },
    (times) => `${format(times)} x`,
    (times) => grey(sum.canvas, side, (i) => average[i] / data.fine + times * left(i)),
  )
}

// A square chart of 300 units with both axes from low to high; their names stand beside it, in the
// size of the other texts, whatever the size of the chart.
function chart(parent, alt, low, high, names) {
  const made = add(parent, "div", { class: "chart" })
  add(made, "span", { class: "upward" }, names[1])
  const whole = 300 + 2 * EDGE
  const viewBox = `${-EDGE} ${-EDGE} ${whole} ${whole}`
  const svg = add(made, "svg", { viewBox, role: "img", "aria-label": alt })
  add(made, "span", { class: "across" }, names[0])
  const place = (x) => (300 * (x - low)) / (high - low)
  const at = ([x, y]) => [place(x), 300 - place(y)]
  add(svg, "rect", { width: 300, height: 300, class: "paper" })
  return { svg, at }
}

function axes(root, data) {
  const { side, points } = data
  const [main, beside] = [add(root, "div", { class: "main" }), add(root, "div", { class: "beside" })]
  const { svg, at } = chart(main, data.alts[0], 0, 255, data.words.axes)
  const lines = add(svg, "g", { class: "shadows" })
  const dots = add(svg, "g", { class: "dots" })
  for (const point of points) {
    const [cx, cy] = at(point)
    add(dots, "circle", { cx, cy, r: 2.6 })
  }
  const average = wide(data.mean)
  const face = figure(beside, data.words.where, data.alts[1])
  grey(face.canvas, side, (i) => average[i] / data.fine)
  data.pixels.forEach(([row, column], i) => {
    const mark = add(face.made, "span", { class: "mark" }, "AB"[i])
    mark.style.left = `${(100 * (column + 0.5)) / side}%`
    mark.style.top = `${(100 * (row + 0.5)) / side}%`
  })
  if (data.locked) return
  const line = add(svg, "line", { class: "axis" })
  const shadows = points.map(() => [
    add(lines, "line"),
    add(svg, "circle", { r: 2, class: "shadow" }),
  ])
  const gauge = add(beside, "div", { class: "gauge", "aria-hidden": "true" })
  const bar = add(gauge, "div")
  const told = add(beside, "p", { class: "told" })
  const middle = [0, 1].map((k) => points.reduce((sum, p) => sum + p[k], 0) / points.length)
  slider(
    main,
    data.words.slider,
    { min: -90, max: 90, step: 1, value: data.begin },
    (angle) => `${format(angle, 0)}°`,
    (angle) => {
      const way = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)]
      const far = points.map((p) => (p[0] - middle[0]) * way[0] + (p[1] - middle[1]) * way[1])
      const foot = (t) => at([middle[0] + t * way[0], middle[1] + t * way[1]])
      far.forEach((t, i) => {
        const [[x1, y1], [x2, y2]] = [at(points[i]), foot(t)]
        move(shadows[i][0], { x1, y1, x2, y2 })
        move(shadows[i][1], { cx: x2, cy: y2 })
      })
      const [[x1, y1], [x2, y2]] = [foot(-130), foot(130)]
      move(line, { x1, y1, x2, y2 })
      const spread = Math.sqrt(far.reduce((sum, t) => sum + t * t, 0) / (points.length - 1))
      const turn = Math.abs(angle - data.angle)
      const best = Math.min(turn, 180 - turn) < 2
      bar.style.width = `${(100 * spread) / data.spread}%`
      bar.className = best ? "best" : ""
      line.setAttribute("class", best ? "axis best" : "axis")
      told.textContent =
        data.words.spread.replace("{spread}", spread.toFixed(0)) + (best ? data.words.best : "")
    },
  )
}

function eigenfaces(root, data) {
  const { side } = data
  const average = wide(data.mean)
  const pictures = data.eigenfaces.map((one) => ({ ...one, pixels: signed(one.pixels) }))
  const [main, beside] = [add(root, "div", { class: "main" }), add(root, "div", { class: "beside" })]
  const face = figure(main, "", data.alts[0])
  if (data.locked) {
    grey(face.canvas, side, (i) => average[i] / data.fine)
    add(face.made, "figcaption", {}, data.words.mean)
    return hidden(beside, data.words.direction)
  }
  let chosen = 0
  const control = slider(
    main,
    data.words.slider,
    { min: -3, max: 3, step: 0.1, value: 0 },
    (weight) => `${format(weight)} x`,
    (weight) => {
      const { pixels, scale } = pictures[chosen]
      const unit = (weight * scale) / 127
      grey(face.canvas, side, (i) => average[i] / data.fine + unit * pixels[i])
    },
  )
  const row = add(beside, "div", { class: "choice", role: "group", "aria-label": data.words.choose })
  const buttons = pictures.map(({ pixels, words }, k) => {
    const button = add(row, "button", { type: "button", "aria-pressed": k === 0 })
    const canvas = add(button, "canvas", { "aria-hidden": "true" })
    twoColours(canvas, side, (i) => pixels[i], 127, data.colours)
    add(button, "span", {}, `${k + 1} ${words}`)
    button.onclick = () => {
      chosen = k
      buttons.forEach((each, i) => each.setAttribute("aria-pressed", i === k))
      control.update()
    }
    return button
  })
  legend(beside, data)
}

function recipe(root, data) {
  const { side, counts, shares } = data
  const face = bytes(data.face)
  // Each sum is the one before it, plus the weight times an eigenface or a change as a whole.
  const sums = [Float32Array.from(wide(data.mean), (level) => level / data.fine)]
  for (const { pixels, scale, weight = 1 } of [...data.eigenfaces, ...data.further]) {
    const [before, change, unit] = [sums.at(-1), signed(pixels), (weight * scale) / 127]
    sums.push(before.map((level, i) => level + unit * change[i]))
  }
  const [main, beside] = [add(root, "div", { class: "main" }), add(root, "div", { class: "beside" })]
  const row = add(beside, "div", { class: "thumbs" })
  if (data.locked) {
    // the question is about the face
    grey(figure(main, data.words.face, data.alts[1]).canvas, side, (i) => face[i])
    grey(figure(row, data.words.mean, data.alts[0]).canvas, side, (i) => sums[0][i])
    return hidden(row, data.words.missing)
  }
  const sum = figure(main, "", data.alts[0])
  grey(figure(row, data.words.face, data.alts[1]).canvas, side, (i) => face[i])
  const missing = figure(row, data.words.missing, data.alts[2])
  legend(beside, data)
  const list = add(root, "ol", { class: "recipe" })
  const items = data.eigenfaces.map(({ pixels, words, weight }) => {
    const item = add(list, "li")
    const canvas = add(item, "canvas", { "aria-hidden": "true" })
    const values = signed(pixels)
    twoColours(canvas, side, (i) => values[i], 127, data.colours)
    add(item, "span", { class: "weight" }, `${format(weight)} x`)
    add(item, "span", {}, words)
    return item
  })
  const told = add(main, "p", { class: "told" })
  slider(
    main,
    data.words.slider,
    { min: 0, max: counts.length - 1, step: 1, value: data.begin ?? 0 },
    (k) => String(counts[k]),
    (k) => {
      grey(sum.canvas, side, (i) => sums[k][i])
      const left = (i) => face[i] - sums[k][i]
      twoColours(missing.canvas, side, left, data.scale, data.colours)
      items.forEach((item, i) => item.classList.toggle("out", i >= counts[k]))
      told.textContent = data.words.told
        .replace("{count}", counts[k])
        .replace("{share}", `${(100 * shares[k]).toFixed(1)}%`)
    },
  )
  main.append(told)
}

function map(root, data) {
  const { side, reach } = data
  const [main, beside] = [add(root, "div", { class: "main" }), add(root, "div", { class: "beside" })]
  const { svg, at } = chart(main, data.alts[0], -reach, reach, data.words.axes)
  const places = add(svg, "svg", { width: 300, height: 300 }) // cuts off what lies outside
  const links = add(svg, "g", { class: "links" })
  data.points.forEach((point) => {
    const [x, y] = at(point.at)
    const dot = { d: SHAPES[point.label % SHAPES.length], transform: `translate(${x} ${y})` }
    add(svg, "path", { ...dot, fill: data.labels[point.label].colour, class: "dot" })
    if (point.wrong && !data.locked) add(svg, "circle", { cx: x, cy: y, r: 8, class: "wrong" })
  })
  const star = add(svg, "path", { d: STAR, class: "star" })
  const names = add(main, "p", { class: "legend" })
  for (const [i, label] of data.labels.entries()) {
    if (!data.points.some((point) => point.label === i)) continue
    const key = add(names, "svg", { viewBox: "-6 -6 12 12", "aria-hidden": "true" })
    add(key, "path", { d: SHAPES[i % SHAPES.length], fill: label.colour })
    names.append(label.name)
  }
  const [face, x1, y1] = [bytes(data.face), ...data.ways.map((way) => signed(way.pixels))]
  const shown = figure(beside, data.words.face, data.alts[1])
  let here = [...data.at]
  const draw = () => {
    const [dx, dy] = here.map((v, k) => ((v - data.at[k]) * data.ways[k].scale) / 127)
    grey(shown.canvas, side, (i) => face[i] + dx * x1[i] + dy * y1[i])
    const inside = here.map((v) => Math.max(-reach, Math.min(reach, v)))
    star.setAttribute("transform", `translate(${at(inside)})`)
    tell()
  }
  let tell = () => {}
  if (data.locked) return draw()

  const steps = data.grid.length
  const step = data.grid[1] - data.grid[0]
  const size = (300 * step) / (2 * reach)
  data.places.forEach((line, i) =>
    line.forEach((chances, j) => {
      const best = chances.indexOf(Math.max(...chances))
      const [x, y] = at([data.grid[j], data.grid[i]])
      const box = { x: x - size / 2, y: y - size / 2, width: size, height: size }
      const shade = 0.05 + 0.25 * chances[best]
      add(places, "rect", { ...box, fill: data.labels[best].colour, "fill-opacity": shade })
    }),
  )
  const near = add(beside, "div", { class: "thumbs near" })
  const others = [0, 1, 2].map(() => ({ ...figure(near, " ", data.alts[2]), line: add(links, "line") }))
  const told = add(beside, "p", { class: "told" })
  const chancesAt = () => {
    if (here.every((v, k) => v === data.at[k])) return data.chances
    const [[j, u], [i, v]] = here.map((x) => {
      const place = Math.max(0, Math.min(steps - 1.001, (x - data.grid[0]) / step))
      return [Math.floor(place), place % 1]
    })
    return data.labels.map(
      (_, k) =>
        (1 - v) * ((1 - u) * data.places[i][j][k] + u * data.places[i][j + 1][k]) +
        v * ((1 - u) * data.places[i + 1][j][k] + u * data.places[i + 1][j + 1][k]),
    )
  }
  tell = () => {
    const chances = chancesAt()
    const best = chances.indexOf(Math.max(...chances))
    told.textContent = data.words.told
      .replace("{label}", () => data.labels[best].name)
      .replace("{chance}", percent(chances[best]))
    data.points
      .map((point) => [point, point.rest + (point.at[0] - here[0]) ** 2 + (point.at[1] - here[1]) ** 2])
      .sort((a, b) => a[1] - b[1])
      .slice(0, others.length)
      .forEach(([point], k) => {
        const small = bytes(point.face)
        grey(others[k].canvas, data.small, (i) => small[i])
        others[k].text.textContent = data.labels[point.label].name
        const [[a, b], [c, d]] = [at(here), at(point.at)]
        move(others[k].line, { x1: a, y1: b, x2: c, y2: d })
      })
  }
  const controls = data.words.sliders.map((text, k) =>
    slider(
      main,
      text,
      { min: -reach, max: reach, step: "any", value: data.at[k], film: false },
      (weight) => `${format(weight)} x`,
      (weight) => {
        here[k] = Math.abs(weight - data.at[k]) < 1e-9 ? data.at[k] : weight
        draw()
      },
    ),
  )
  controls.forEach(({ input }) => {
    input.onkeydown = (event) => {
      const turn = { ArrowRight: 0.1, ArrowUp: 0.1, ArrowLeft: -0.1, ArrowDown: -0.1 }[event.key]
      if (!turn) return
      event.preventDefault()
      input.value = Number(input.value) + turn
      input.oninput()
    }
  })
  const point = (event) => {
    if (!event.buttons) return
    const box = svg.getBoundingClientRect()
    const [x, y] = [event.clientX - box.left, event.clientY - box.top].map(
      (v) => ((v / box.width) * (300 + 2 * EDGE) - EDGE) / 300,
    )
    const values = [2 * x - 1, 1 - 2 * y]
    values.forEach((v, k) => {
      controls[k].input.value = Math.max(-1, Math.min(1, v)) * reach
      controls[k].update()
    })
  }
  svg.onpointerdown = svg.onpointermove = point
  svg.style.touchAction = "none"
}

const scenes = { numbers, mean, difference, axes, eigenfaces, recipe, map }
const shown = new WeakMap()

export default function ({ data, parentElement: root }) {
  const stage = root.querySelector(".lesson")
  if (shown.get(stage) === data.of) return
  shown.set(stage, data.of)
  stage.replaceChildren()
  stage.dataset.kind = data.kind
  scenes[data.kind](stage, data)
}

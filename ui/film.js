// A face that changes step by step: face + so many times the change, with its probabilities.

const SECONDS = 4 // of the film
const SVG = "http://www.w3.org/2000/svg"
const DASHES = { solid: "", dash: "7 5" }
const instances = new WeakMap()

function add(parent, kind, attributes, text) {
  const element = document.createElementNS(SVG, kind)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  if (text !== undefined) element.textContent = text
  parent.append(element)
  return element
}

const stroke = ({ colour, dash }) => ({
  stroke: colour,
  "stroke-width": 3,
  "stroke-dasharray": DASHES[dash],
  fill: "none",
})

// The chart has the size that it has on the screen, in pixels, so its texts have theirs. What is
// returned moves the line that marks a step.
function drawChart(root, data) {
  const svg = root.querySelector(".side > svg")
  const em = parseFloat(getComputedStyle(svg).fontSize)
  const { width } = svg.getBoundingClientRect()
  const box = { left: 3.25 * em, right: width - em, top: 0.75 * em, bottom: 11.5 * em }
  const across = (step) => box.left + ((box.right - box.left) * step) / (data.steps - 1)
  const up = (share) => box.bottom - (box.bottom - box.top) * share
  svg.replaceChildren()
  svg.setAttribute("viewBox", `0 0 ${width} ${box.bottom + 3.25 * em}`)
  svg.setAttribute("aria-label", data.texts.chart)
  for (const share of [0, 0.5, 1]) {
    const [y1, y2] = [up(share), up(share)]
    add(svg, "line", { class: "grid", x1: box.left, x2: box.right, y1, y2 })
    const place = { x: box.left - em / 2, y: y1 + em / 3, "text-anchor": "end" }
    add(svg, "text", place, `${100 * share}%`)
  }
  const flip = across(data.flip)
  add(svg, "line", { class: "grid", x1: flip, x2: flip, y1: box.top, y2: box.bottom })
  add(svg, "text", { x: flip, y: box.bottom + 1.25 * em, "text-anchor": "middle" }, data.texts.flip)
  const middle = { x: (box.left + box.right) / 2, y: box.bottom + 2.75 * em, "text-anchor": "middle" }
  add(svg, "text", middle, data.texts.axis)
  const keys = root.querySelector(".keys")
  keys.replaceChildren()
  for (const line of data.lines) {
    const points = line.values.map((value, i) => `${across(line.at[i])},${up(value)}`)
    add(svg, "polyline", { ...stroke(line), points: points.join(" ") })
    const key = document.createElement("span")
    const swatch = add(key, "svg", { viewBox: "0 0 28 10", "aria-hidden": "true" })
    add(swatch, "line", { ...stroke(line), x1: 0, x2: 28, y1: 5, y2: 5 })
    key.append(line.name)
    keys.append(key)
  }
  const head = add(svg, "line", { class: "head", y1: box.top, y2: box.bottom })
  return (step) => {
    head.setAttribute("x1", across(step))
    head.setAttribute("x2", across(step))
  }
}

export default function (component) {
  const { data, parentElement: root } = component
  let state = instances.get(root)
  if (!state) instances.set(root, (state = { step: 0 }))
  const find = (selector) => root.querySelector(selector)
  const [face, change, slider, button] = [".face", ".change", "input", "button"].map(find)
  if (state.of !== data.of) {
    cancelAnimationFrame(state.film)
    Object.assign(state, { of: data.of, film: undefined, step: 0, frames: 0 })
  }
  const start = bytes(data.start)
  const moves = new Int16Array(bytes(data.change).buffer)
  const strongest = moves.reduce((most, move) => Math.max(most, Math.abs(move)), 1)
  let mark
  const draw = () => {
    mark = drawChart(root, data)
    mark(state.step)
  }

  const redraw = () => {
    const { step } = state
    const factor = (data.most * step) / (data.steps - 1)
    // Whole grey levels, as the model read them.
    paintGrey(face, data.side, (i) => start[i] + (factor * moves[i]) / data.fine)
    const share = factor / data.most / strongest
    paintSigned(change, data.side, (i) => moves[i] * share, data.colours)
    const [label, probability] = data.answers[step]
    find(".answer").textContent = `${data.labels[label]} ${Math.round(100 * probability)}%`
    const walked = `${(data.size * factor).toFixed(2)} ${data.texts.unit}`
    find("output").textContent = walked
    mark(step)
    change.style.visibility = step > 0 ? "visible" : "hidden"
    find(".hint").hidden = step > 0
    slider.value = step
    slider.setAttribute("aria-valuetext", `${walked}: ${find(".answer").textContent}`)
    face.dataset.frames = ++state.frames
    face.dataset.step = step
  }
  const show = (step) => {
    state.step = step
    redraw()
  }
  const pause = () => {
    cancelAnimationFrame(state.film)
    state.film = undefined
    button.textContent = data.texts.play
  }
  const play = () => {
    const from = state.step >= data.steps - 1 ? 0 : state.step
    const begun = performance.now()
    button.textContent = data.texts.pause
    const next = (now) => {
      const gone = Math.floor(((now - begun) / 1000 / SECONDS) * data.steps)
      const step = Math.min(data.steps - 1, from + Math.max(0, gone))
      if (step !== state.step) show(step)
      if (step === data.steps - 1) return pause()
      state.film = requestAnimationFrame(next)
    }
    state.film = requestAnimationFrame(next)
  }
  slider.max = data.steps - 1
  slider.setAttribute("aria-label", data.texts.slider)
  slider.oninput = () => {
    pause()
    show(Number(slider.value))
  }
  button.onclick = () => (state.film ? pause() : play())
  button.textContent = state.film ? data.texts.pause : data.texts.play
  face.setAttribute("aria-label", data.texts.face)
  change.setAttribute("aria-label", data.texts.change)
  find(".legend").textContent = data.texts.legend
  find(".hint").textContent = data.texts.hint
  draw()
  redraw()
  state.sizes?.disconnect()
  state.sizes = new ResizeObserver(draw)
  state.sizes.observe(find(".side > svg"))
  return pause
}

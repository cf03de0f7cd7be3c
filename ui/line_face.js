// A face on the straight line through two faces, and what the model says along it.

const REST = 80 // milliseconds without a change, after which the server is told
const DASHES = ["", "6 4", "2 3", "8 3 2 3", "1 4"]
const SVG = "http://www.w3.org/2000/svg"
const instances = new WeakMap()

const element = (name, className, text) => {
  const made = document.createElement(name)
  made.className = className
  if (text !== undefined) made.textContent = text
  return made
}

function drawSvg(name, attributes) {
  const made = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  return made
}

function buildMarks(root, data) {
  const share = (at) => (at - data.low) / (data.high - data.low)
  root.querySelector(".marks").replaceChildren(
    ...data.marks.map((mark) => {
      const made = element("span", "", mark.text)
      made.style.left = `${100 * share(mark.at)}%`
      return made
    }),
  )
}

function buildDecision(root, data) {
  const box = root.querySelector(".decision")
  box.hidden = data.labels.length === 0
  box.querySelector(".title").textContent = data.texts.decision
  const rows = data.labels.map((label) => {
    const row = element("div", "bar")
    const track = element("div", "track")
    const fill = element("div", "fill")
    const value = element("output", "")
    const name = element("span", "name", label.name)
    name.title = label.name
    fill.style.background = label.colour
    track.append(fill)
    row.append(name, track, value)
    return { row, fill, value }
  })
  box.querySelector(".bars").replaceChildren(...rows.map(({ row }) => row))
  const svg = box.querySelector("svg")
  svg.setAttribute("aria-label", data.texts.curve)
  const now = drawSvg("line", { class: "now", y1: 0, y2: 40 })
  svg.replaceChildren(
    drawSvg("line", { class: "half", x1: 0, x2: 100, y1: 20, y2: 20 }),
    ...data.labels.map((label, k) => {
      const last = label.scores.length - 1
      const points = label.scores.map((p, i) => `${(100 * i) / last},${40 - 38 * p - 1}`)
      return drawSvg("polyline", {
        points: points.join(" "),
        stroke: label.colour,
        "stroke-dasharray": DASHES[k % DASHES.length],
      })
    }),
    now,
  )
  box.querySelector(".low").textContent = data.texts.low
  box.querySelector(".high").textContent = data.texts.high
  return { rows, now }
}

export default function (component) {
  const { data, parentElement: root, setStateValue } = component
  let state = instances.get(root)
  if (!state) {
    state = { share: data.share, frames: 0 }
    instances.set(root, state)
  }
  const canvas = root.querySelector(".face canvas")
  const [left, right] = root.querySelectorAll(".end")
  const slider = root.querySelector("input")
  const button = root.querySelector("button")
  const here = root.querySelector(".here")
  const first = new Int16Array(bytes(data.first).buffer)
  const way = new Int16Array(bytes(data.way).buffer)

  const levels = (share) => (i) => (first[i] + share * way[i]) / data.fine
  const describe = (share) => {
    const mark = data.marks.find(({ at }) => Math.abs(at - share) < data.step / 2)
    return mark?.long ?? data.texts.between
        .replace("{share}", `${Math.round(100 * share)}%`)
        .replace("{rest}", `${Math.round(100 * (1 - share))}%`)
        .replace("{times}", Math.abs(share).toFixed(1).replace(".0", ""))
        .replace("{sign}", share < 0 ? "−" : "")
  }
  Object.assign(slider, { min: data.low, max: data.high, step: data.step })
  slider.setAttribute("aria-label", data.texts.slider)
  buildMarks(root, data)
  const { rows, now } = buildDecision(root, data)
  paintGrey(left, data.side, levels(data.low))
  paintGrey(right, data.side, levels(data.high))
  canvas.setAttribute("aria-label", data.texts.alt)

  const draw = () => {
    paintGrey(canvas, data.side, levels(state.share))
    canvas.dataset.frames = ++state.frames
    if (root.activeElement !== slider || state.film) slider.value = state.share
    const words = describe(state.share)
    here.textContent = words
    slider.setAttribute("aria-valuetext", words)
    const at = (state.share - data.low) / (data.high - data.low)
    now.setAttribute("x1", 100 * at)
    now.setAttribute("x2", 100 * at)
    data.labels.forEach((label, k) => {
      const p = label.scores[Math.round(at * (label.scores.length - 1))]
      rows[k].fill.style.width = `${100 * p}%`
      rows[k].value.textContent = `${Math.round(100 * p)}%`
    })
  }
  const tell = () => {
    clearTimeout(state.timer)
    state.timer = setTimeout(() => setStateValue("share", state.share), REST)
  }
  const stop = () => {
    cancelAnimationFrame(state.film)
    state.film = undefined
    button.textContent = data.texts.play
  }
  const play = () => {
    const begun = performance.now()
    const from = (state.share - data.low) / (data.high - data.low)
    const phase = Math.acos(1 - 2 * from)
    button.textContent = data.texts.stop
    const next = (time) => {
      const turn = phase + (Math.PI * (time - begun)) / 3000 // three seconds from end to end
      if (turn >= phase + 2 * Math.PI) {
        stop()
        return tell()
      }
      state.share = data.low + ((data.high - data.low) * (1 - Math.cos(turn))) / 2
      draw()
      state.film = requestAnimationFrame(next)
    }
    state.film = requestAnimationFrame(next)
  }
  slider.oninput = () => {
    if (state.film) stop()
    state.share = Number(slider.value)
    cancelAnimationFrame(state.frame)
    state.frame = requestAnimationFrame(draw)
  }
  slider.onchange = tell // on release; by the keyboard, after every step
  button.onclick = () => {
    if (!state.film) return play()
    stop()
    tell()
  }
  if (!state.film) button.textContent = data.texts.play
  draw()
  return () => {
    cancelAnimationFrame(state.frame)
    cancelAnimationFrame(state.film)
    clearTimeout(state.timer)
  }
}

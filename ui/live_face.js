// A face that is redrawn while its sliders move: start + the weights times the eigenfaces.

const REST = 80 // milliseconds without a change, after which the server is told
const instances = new WeakMap()

function decode(data) {
  const start = new Int16Array(bytes(data.start).buffer)
  const faces = data.eigenfaces.map((face) => ({
    ...face,
    pixels: new Int8Array(bytes(face.pixels).buffer),
  }))
  return { side: data.side, start, faces }
}

function build(root, data, state) {
  const list = root.querySelector(".sliders")
  list.replaceChildren()
  state.rows = data.eigenfaces.map((face, i) => {
    const row = document.createElement("label")
    row.className = "slider"
    row.title = face.title
    const thumb = document.createElement("canvas")
    thumb.setAttribute("aria-hidden", "true")
    paintSigned(thumb, data.side, (p) => state.faces[i].pixels[p] / 127, data.colours)
    const name = document.createElement("span")
    name.className = "name"
    name.textContent = `${i + 1} ${face.words}`
    const value = document.createElement("output")
    const input = document.createElement("input")
    Object.assign(input, { type: "range", min: -data.reach, max: data.reach, step: 0.1 })
    input.setAttribute("aria-label", `Eigenface ${i + 1}: ${face.words}`)
    input.value = state.weights[i] ?? 0
    row.append(thumb, name, value, input)
    list.append(row)
    return { input, value }
  })
}

export default function (component) {
  const { data, parentElement: root, setStateValue } = component
  let state = instances.get(root)
  if (!state) {
    state = { weights: [...data.weights], frames: 0 }
    instances.set(root, state)
  }
  const canvas = root.querySelector(".face canvas")
  const answer = root.querySelector(".answer")
  const buttons = Object.fromEntries(
    [...root.querySelectorAll("button")].map((button) => [button.name, button]),
  )
  Object.assign(state, decode(data))
  if (state.shown !== data.of) {
    state.shown = data.of
    state.weights = data.eigenfaces.map((_, i) => state.weights[i] ?? 0)
    build(root, data, state)
  }

  const draw = () => {
    const levels = new Float32Array(state.start.length)
    for (let i = 0; i < levels.length; i++) levels[i] = state.start[i] / data.fine
    if (!state.original) {
      state.faces.forEach((face, k) => {
        const weight = (state.weights[k] * face.scale) / 127
        if (weight) for (let i = 0; i < levels.length; i++) levels[i] += weight * face.pixels[i]
      })
    }
    paintGrey(canvas, state.side, (i) => levels[i])
    canvas.dataset.frames = ++state.frames
    const moved = state.weights.some((weight, i) => Math.abs(weight - data.answered[i]) > 1e-6)
    answer.classList.toggle("past", Boolean(state.original || moved))
    state.rows.forEach(({ input, value }, i) => {
      const weight = Number(state.weights[i])
      if (root.activeElement !== input) input.value = weight
      value.textContent = (weight > 0 ? "+" : weight < 0 ? "−" : "") + Math.abs(weight).toFixed(1)
      input.setAttribute("aria-valuetext", value.textContent)
    })
  }
  const redraw = () => {
    cancelAnimationFrame(state.frame)
    state.frame = requestAnimationFrame(draw)
  }
  const tell = () => {
    clearTimeout(state.timer)
    state.timer = setTimeout(() => setStateValue("weights", [...state.weights]), REST)
  }
  const setAll = (weights) => {
    state.weights = weights
    state.rows.forEach(({ input }, i) => (input.value = weights[i]))
    redraw()
    tell()
  }
  const stop = () => {
    cancelAnimationFrame(state.film)
    state.film = undefined
    buttons.play.textContent = data.texts.play
  }
  const play = () => {
    const before = [...state.weights]
    const begun = performance.now()
    buttons.play.textContent = data.texts.stop
    const next = (now) => {
      const seconds = (now - begun) / 1000
      const k = Math.floor(seconds / 2) % state.rows.length
      state.weights = before.map((weight, i) =>
        i === k ? 2.5 * Math.sin(Math.PI * seconds) : weight,
      )
      if (seconds >= 2 * state.rows.length) {
        stop()
        return setAll(before)
      }
      draw()
      state.film = requestAnimationFrame(next)
    }
    state.film = requestAnimationFrame(next)
    state.before = before
  }

  state.rows.forEach(({ input }, i) => {
    input.oninput = () => {
      if (state.film) stop()
      state.weights[i] = Number(input.value)
      redraw()
    }
    input.onchange = tell // on release; by the keyboard, after every step
  })
  buttons.play.onclick = () => {
    if (!state.film) return play()
    stop()
    setAll(state.before)
  }
  buttons.reset.onclick = () => {
    stop()
    setAll(state.rows.map(() => 0))
  }
  buttons.random.onclick = () => {
    stop()
    const draw = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random())
    const clip = (x) => Math.max(-data.reach, Math.min(data.reach, x))
    setAll(state.rows.map(() => Math.round(10 * clip(1.2 * draw())) / 10))
  }
  buttons.compare.onclick = () => {
    state.original = !state.original
    buttons.compare.setAttribute("aria-pressed", String(state.original))
    redraw()
  }
  for (const [name, button] of Object.entries(buttons)) {
    if (!(name === "play" && state.film)) button.textContent = data.texts[name]
  }
  canvas.setAttribute("aria-label", data.alt)
  if (answer.textContent !== data.answer) answer.textContent = data.answer
  draw()
  return () => {
    cancelAnimationFrame(state.frame)
    cancelAnimationFrame(state.film)
    clearTimeout(state.timer)
  }
}

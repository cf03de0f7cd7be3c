// A camera that takes pictures while a button is held, or one after the other to be answered.

const PATIENCE = 8000 // ms after which an answer is no longer waited for
const instances = new WeakMap()

// As JPEG in base64, its long side as asked for.
function grab(video, { side, quality }) {
  const share = Math.min(1, side / Math.max(video.videoWidth, video.videoHeight))
  const canvas = document.createElement("canvas")
  canvas.width = Math.round(video.videoWidth * share)
  canvas.height = Math.round(video.videoHeight * share)
  canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height)
  return canvas.toDataURL("image/jpeg", quality).split(",")[1]
}

function turnOff(state) {
  clearInterval(state.held?.timer)
  clearTimeout(state.timer)
  state.stream?.getTracks().forEach((track) => track.stop())
  if (state.video) state.video.srcObject = null
  Object.assign(state, { stream: undefined, held: undefined, waiting: false })
}

async function turnOn(state, video) {
  if (!window.isSecureContext || !navigator.mediaDevices?.getUserMedia) return "insecure"
  let stream
  try {
    const wanted = { facingMode: "user", width: { ideal: 640 } }
    stream = await navigator.mediaDevices.getUserMedia({ video: wanted })
  } catch (error) {
    return error.name
  }
  state.stream = stream
  if (state.gone) return turnOff(state)
  video.srcObject = stream
  await video.play()
}

// Buttons stay the same elements while labels do: one of them may be held.
function matchButtons(place, labels) {
  const ids = labels.map((label) => String(label.id))
  for (const button of [...place.children]) if (!ids.includes(button.name)) button.remove()
  return labels.map((label) => {
    let button = [...place.children].find((one) => one.name === String(label.id))
    if (!button) {
      button = document.createElement("button")
      button.type = "button"
      button.name = label.id
      button.append(document.createElement("b"), document.createElement("span"))
      place.append(button)
    }
    return button
  })
}

export default function (component) {
  const { data, parentElement: root, setTriggerValue } = component
  let state = instances.get(root)
  if (!state) instances.set(root, (state = { sent: 0 }))
  const find = (selector) => root.querySelector(selector)
  const [video, canvas, on] = ["video", "canvas", "[name=on]"].map(find)
  // Timers that run on from an earlier call find what is new here.
  Object.assign(state, { data, video, gone: false })
  find(".camera").toggleAttribute("data-look", Boolean(data.look))
  const { texts } = data

  const shoot = () => {
    const { held } = state
    if (!state.stream || !held) return
    held.pictures.push(grab(video, data))
    state.redraw()
    if (held.pictures.length >= held.room) state.release()
  }
  state.release = () => {
    const { held } = state
    if (!held) return
    clearInterval(held.timer)
    state.held = undefined
    const { id, pictures } = held
    if (pictures.length) setTriggerValue("batch", { label: id, pictures, number: ++state.sent })
    state.redraw()
  }
  const press = (label) => {
    const room = Math.min(data.most, label.room)
    if (!state.stream || state.held || room < 1) return
    state.held = { id: label.id, room, pictures: [], timer: setInterval(shoot, data.pause) }
    shoot()
  }
  state.look = () => {
    clearTimeout(state.timer)
    if (!state.stream || !state.data.look) return
    state.number = ++state.sent
    setTriggerValue("frame", { number: state.number, picture: grab(video, state.data) })
    state.timer = setTimeout(() => state.look(), PATIENCE)
  }

  state.redraw = () => {
    const { stream, held } = state
    on.textContent = stream ? texts.off : texts.on
    matchButtons(find(".holds"), data.labels ?? []).forEach((button, i) => {
      const label = state.data.labels[i]
      const mine = held?.id === label.id ? held.pictures.length : 0
      const [name, count] = button.children
      name.textContent = texts.hold.replace("{label}", () => label.name)
      count.textContent = texts.count.replace("{count}", label.count + mine)
      button.disabled = !stream || (label.room < 1 && !mine)
      button.toggleAttribute("data-held", held?.id === label.id)
      button.onpointerdown = (event) => {
        if (event.button) return
        button.setPointerCapture(event.pointerId)
        press(label)
      }
      button.onpointerup = button.onpointercancel = button.onblur = () => state.release()
      button.onkeydown = (event) => {
        if (![" ", "Enter"].includes(event.key)) return
        event.preventDefault()
        if (!event.repeat) press(label)
      }
      button.onkeyup = () => state.release()
      button.oncontextmenu = (event) => event.preventDefault()
    })
    const { answer } = state.data
    const seen = Boolean(stream && answer)
    find(".answer").textContent = seen ? answer.text : ""
    find(".detail").textContent = seen ? answer.detail : ""
    canvas.hidden = !(seen && answer.face)
    find(".views").toggleAttribute("data-both", !canvas.hidden)
    if (!canvas.hidden) {
      const face = bytes(answer.face)
      paintGrey(canvas, answer.side, (i) => face[i])
    }
  }

  on.onclick = async () => {
    find(".problem").textContent = ""
    if (state.stream) turnOff(state)
    else {
      const problem = await turnOn(state, video)
      if (problem) find(".problem").textContent = texts.problems[problem] ?? texts.problems.other
    }
    state.redraw()
    state.look()
  }
  video.setAttribute("aria-label", texts.video)
  canvas.setAttribute("aria-label", texts.face)
  if (data.answer && data.answer.number === state.number) {
    state.number = undefined
    clearTimeout(state.timer)
    state.timer = setTimeout(() => state.look(), data.pause)
  }
  state.redraw()
  return () => {
    state.gone = true
    turnOff(state)
  }
}

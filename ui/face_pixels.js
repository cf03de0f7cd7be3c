// What every face that is drawn in the browser needs; it stands before the component's script.

const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0))

function paint(canvas, side, levels) {
  const image = new ImageData(side, side)
  for (let i = 0; i < levels.length; i++) {
    image.data[4 * i] = image.data[4 * i + 1] = image.data[4 * i + 2] = levels[i]
    image.data[4 * i + 3] = 255
  }
  canvas.width = canvas.height = side
  canvas.getContext("2d").putImageData(image, 0, 0)
}

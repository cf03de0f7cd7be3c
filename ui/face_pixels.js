// What every face that is drawn in the browser needs; it stands before the component's script.

const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0))

// Canvas pixels are clamped to 0..255 and rounded to whole levels.
function paint(canvas, side, colourOf) {
  const image = new ImageData(side, side)
  for (let i = 0; i < side * side; i++) {
    image.data.set(colourOf(i), 4 * i)
    image.data[4 * i + 3] = 255
  }
  canvas.width = canvas.height = side
  canvas.getContext("2d").putImageData(image, 0, 0)
}

const paintGrey = (canvas, side, levelOf) =>
  paint(canvas, side, (i) => {
    const level = levelOf(i)
    return [level, level, level]
  })

// Orange above 0, blue below, white at 0; full colour at 1 and -1.
const paintSigned = (canvas, side, shareOf, [up, down]) =>
  paint(canvas, side, (i) => {
    const share = shareOf(i)
    const strength = Math.min(1, Math.abs(share))
    return (share > 0 ? up : down).map((level) => 255 + (level - 255) * strength)
  })

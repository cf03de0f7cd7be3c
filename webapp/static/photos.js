// Choose, drop, paste or take photos: each is sent at once, and answered by the same page as a
// press of the button.
"use strict";

const form = document.getElementById("photos");
const input = document.getElementById("photo");
const status_ = document.getElementById("status");
const answers = document.getElementById("answers");

const camera = document.getElementById("camera");
const shoot = document.getElementById("shoot");
const video = shoot.querySelector("video");
const [take, close] = shoot.querySelectorAll("button");

let latest = 0; // a newer choice ends the older one

async function analyse(files) {
  const mine = ++latest;
  const told = [];
  answers.replaceChildren();
  form.setAttribute("aria-busy", "true");
  status_.classList.remove("visually-hidden");
  for (const [i, file] of files.entries()) {
    status_.textContent = files.length > 1
      ? `Analysing photo ${i + 1} of ${files.length} …` : "Analysing photo …";
    const found = await ask(file);
    if (mine !== latest) return;
    answers.append(...found);
    told.push(...found.map((node) => (node.querySelector("[data-summary]") ?? node).textContent.trim()));
  }
  form.removeAttribute("aria-busy");
  status_.classList.add("visually-hidden"); // the answers show it; a screen reader reads this
  status_.textContent = told.join(" ");
}

async function ask(file) {
  const limit = Number(form.dataset.maxBytes);
  if (file.size > limit) {
    return [note(`${file.name} is larger than the limit of ${limit / 2 ** 20} MB.`)];
  }
  const data = new FormData(form);
  data.set("photo", file, file.name || "photo");
  try {
    const response = await fetch(form.action, { method: "POST", body: data });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const found = page.querySelector("#answers, #error");
    return found ? [...found.children] : [note(`The site answered with status ${response.status}.`)];
  } catch {
    return [note("The photo could not be sent; check your connection and choose it again.")];
  }
}

function note(text) {
  const box = document.createElement("div");
  box.className = "alert alert-warning";
  box.textContent = text;
  return box;
}

function analyseIfAny(list) {
  const files = [...list];
  if (files.length) analyse(files);
  return files.length > 0;
}

// What needs this script is shown only where it runs, and the button only where it does not.
for (const part of document.querySelectorAll("[data-script]")) part.hidden = false;
form.querySelector("[type=submit]").hidden = true;

input.addEventListener("change", () => {
  analyseIfAny(input.files);
  input.value = ""; // the same photo can be chosen again
});

document.addEventListener("paste", (event) => {
  if (analyseIfAny(event.clipboardData.files)) event.preventDefault();
});

document.addEventListener("dragover", (event) => {
  event.preventDefault(); // a photo dropped beside the field must not replace the page
  form.classList.add("over");
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) form.classList.remove("over");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  form.classList.remove("over");
  analyseIfAny(event.dataTransfer.files);
});

camera.hidden = !navigator.mediaDevices;
camera.addEventListener("click", async () => {
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user" } });
  } catch {
    status_.classList.remove("visually-hidden");
    status_.textContent = "The camera cannot be used; allow it in the browser, or choose a photo.";
    return;
  }
  shoot.hidden = false;
  take.focus();
});

function stop() {
  for (const track of video.srcObject.getTracks()) track.stop();
  video.srcObject = null;
  shoot.hidden = true;
  camera.focus();
}

close.addEventListener("click", stop);
take.addEventListener("click", () => {
  if (!video.videoWidth) return; // no picture yet
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d").drawImage(video, 0, 0);
  stop();
  canvas.toBlob((blob) => analyse([new File([blob], "camera.jpg")]), "image/jpeg", 0.92);
});

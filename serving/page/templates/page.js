"use strict";
// What a page can do beyond forms: drop a file, copy a line, go on with a text token by token. All of it is optional.
for (const part of document.querySelectorAll(".script")) part.hidden = false;

function readInto(file, area) {
  file.text().then((text) => { area.value = text; area.focus(); });
}
for (const area of document.querySelectorAll("textarea.drop")) {
  area.addEventListener("dragover", (event) => { event.preventDefault(); area.classList.add("over"); });
  area.addEventListener("dragleave", () => area.classList.remove("over"));
  area.addEventListener("drop", (event) => {
    area.classList.remove("over");
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    readInto(event.dataTransfer.files[0], area);
  });
}
for (const input of document.querySelectorAll("input[data-into]")) {
  input.addEventListener("change", () => {
    if (input.files.length) readInto(input.files[0], document.getElementById(input.dataset.into));
  });
}
for (const button of document.querySelectorAll("[data-copy]")) {
  const line = button.parentElement.querySelector("code");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(line.textContent);
      button.textContent = "Copied";
    } catch {
      const range = document.createRange();
      range.selectNodeContents(line);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      button.textContent = "Selected: press Ctrl+C";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
}

async function ask(path, body) {
  const response = await fetch(path, { method: "POST", body: JSON.stringify(body) });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}
function draw(prediction, temperature) {
  const weights = prediction.next_probabilities.map((p) => p ** (1 / temperature));
  let rest = Math.random() * weights.reduce((a, b) => a + b, 0);
  const place = weights.findIndex((weight) => (rest -= weight) <= 0);
  return place < 0 ? 0 : place;
}
for (const button of document.querySelectorAll("[data-stream]")) {
  const state = button.parentElement.querySelector(".stream-state");
  const shown = document.querySelector(".continued");
  const between = button.dataset.between;
  button.addEventListener("click", async () => {
    button.disabled = true;
    let stream;
    try {
      const label = document.querySelector("select[name=label]");
      const opened = await ask(button.dataset.stream, label ? { label: label.value } : {});
      stream = `${button.dataset.stream}/${opened.stream}`;
      let [prediction] = (await ask(`${stream}:push`, { text: shown.textContent })).predictions;
      prediction = prediction || opened.predictions[0];
      const grown = shown.appendChild(document.createElement("ins"));
      for (let i = 0; i < 40; i++) {
        const place = draw(prediction, 0.8);
        const token = prediction.next_tokens[place];
        if (token === "<end>" && button.dataset.lines) { state.textContent = "The text ends here."; break; }
        grown.textContent += token === "<end>" ? "\n" : (/^[.,;:!?)\]}%]/.test(token) ? "" : between) + token;
        const pushed = await ask(`${stream}:push`, { inputs: [[prediction.next_ids[place]]] });
        prediction = pushed.predictions[0];
        state.textContent = `${pushed.steps} tokens read`;
      }
    } catch (error) {
      state.textContent = error.message;
    } finally {
      if (stream) fetch(stream, { method: "DELETE" });
      button.disabled = false;
    }
  });
}

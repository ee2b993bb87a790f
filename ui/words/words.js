// The Explain page's words. Text comes from a recording: it only ever becomes textContent, never markup.

function draw(root, data) {
  const list = document.createElement("div");
  list.className = "words";
  list.setAttribute("role", "list");
  list.setAttribute("aria-label", data.label);
  for (const word of data.words) {
    const item = document.createElement("span");
    item.className = `word ${word.sign}`;
    item.setAttribute("role", "listitem");
    item.tabIndex = 0;
    item.style.setProperty("--strength", `${Math.round(12 + 43 * word.strength)}%`);
    if (word.colour) item.style.setProperty("--colour", word.colour);
    const text = document.createElement("span");
    text.className = "text";
    text.textContent = word.sign === "unseen" ? `(${word.text})` : word.text;
    const mark = document.createElement("span");
    mark.className = "mark";
    mark.setAttribute("aria-hidden", "true");
    mark.textContent = word.mark;
    const told = document.createElement("span");
    told.className = "told";
    told.setAttribute("role", "tooltip");
    told.textContent = word.told;
    item.append(text, mark, told);
    // A tip at the right edge opens to the left, so that nothing is wider than a phone.
    const place = () => {
      const box = list.getBoundingClientRect();
      item.classList.toggle("late", item.getBoundingClientRect().left - box.left > box.width / 2);
    };
    item.addEventListener("pointerenter", place);
    item.addEventListener("focus", place);
    list.append(item, " ");
  }
  root.replaceChildren(list);
}

export default function ({ parentElement, data }) {
  let root = parentElement.querySelector(":scope > .blipper-words");
  if (!root) {
    root = document.createElement("div");
    root.className = "blipper-words";
    parentElement.append(root);
  }
  draw(root, data);
}

// Tabs by the ARIA pattern (one tab stop, arrow keys move), and a Copy button in every code block.

export function wireTabs(list) {
  const tabs = [...list.querySelectorAll('[role="tab"]')];
  const pick = (tab, focus) => {
    for (const one of tabs) {
      const on = one === tab;
      one.setAttribute("aria-selected", String(on));
      one.tabIndex = on ? 0 : -1;
      document.getElementById(one.getAttribute("aria-controls")).hidden = !on;
    }
    if (focus) tab.focus();
  };
  tabs.forEach((tab, i) => {
    tab.addEventListener("click", () => pick(tab));
    tab.addEventListener("keydown", ({ key }) => {
      const to = { ArrowRight: i + 1, ArrowLeft: i - 1, Home: 0, End: -1 }[key];
      if (to !== undefined) pick(tabs.at(to % tabs.length), true);
    });
  });
}

export function addCopyButtons(blocks) {
  for (const pre of blocks) {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "copy", textContent: "Copy" });
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(pre.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(pre);
        button.textContent = "Selected: press Ctrl+C";
      }
      setTimeout(() => (button.textContent = "Copy"), 2000);
    });
    const box = Object.assign(document.createElement("div"), { className: "code" });
    pre.replaceWith(box);
    box.append(pre, button);
  }
}

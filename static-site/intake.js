// Every way photos get in: choose, drop anywhere, paste. Calls onFiles(list of File).

const hasFiles = (transfer) => [...(transfer?.types ?? [])].includes("Files");

export function listen({ inputs, openers, veil, onFiles }) {
  for (const input of inputs) {
    input.addEventListener("change", () => {
      const files = [...input.files];
      input.value = ""; // so that the same photo can be chosen again
      if (files.length) onFiles(files);
    });
  }
  for (const [button, input] of openers) button.addEventListener("click", () => input.click());

  let timer; // dragover comes several times a second for as long as a drag is over the page
  const show = (on) => {
    clearTimeout(timer);
    veil.hidden = !on;
    if (on) timer = setTimeout(show, 800, false);
  };
  addEventListener("dragover", (event) => {
    event.preventDefault();
    if (hasFiles(event.dataTransfer)) show(true);
    else event.dataTransfer.dropEffect = "none";
  });
  addEventListener("drop", (event) => {
    event.preventDefault(); // else the browser leaves this page for the photo
    show(false);
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length) onFiles(files);
  });
  addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    onFiles(files);
  });
}

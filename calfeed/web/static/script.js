// Two comforts; every page is whole without them: buttons that copy, and the offer of the reader's own time zone.
for (const button of document.querySelectorAll("[data-copy]")) {
  const field = button.parentElement.querySelector("input, textarea");
  const label = button.textContent;
  button.hidden = false;
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      document.execCommand("copy"); // pages over plain http have no clipboard interface
    }
    button.textContent = button.dataset.done;
    setTimeout(() => (button.textContent = label), 2500);
  });
}
for (const box of document.querySelectorAll("[data-zone]")) {
  const button = box.querySelector("[data-mine]");
  const select = box.querySelector("select");
  const mine = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!mine || mine === select.value) continue;
  button.textContent += ` (${mine.split("/").pop().replaceAll("_", " ")})`;
  button.hidden = false;
  button.addEventListener("click", () => {
    const address = new URL(location.href);
    address.searchParams.set("tz", mine);
    location.assign(address);
  });
}

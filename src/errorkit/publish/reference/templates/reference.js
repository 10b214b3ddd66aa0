// Search, and the choice of dialect and language remembered. All else works without this.
(() => {
  "use strict";
  const rows = [...document.querySelectorAll("tr[data-words]")].map((row) => [row, row.dataset.words.toLowerCase()]);
  const form = document.getElementById("search");
  if (form) {
    const query = document.getElementById("query");
    const found = document.getElementById("found");
    const nothing = document.getElementById("nothing");
    const filter = () => {
      const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
      let count = 0;
      for (const [row, text] of rows) {
        row.hidden = !words.every((word) => text.includes(word));
        if (!row.hidden) count += 1;
      }
      for (const table of document.querySelectorAll("table.codes")) {
        table.hidden = !table.querySelector("tbody tr:not([hidden])");
      }
      nothing.hidden = count > 0;
      found.textContent = words.length ? `${count} of ${rows.length} codes` : "";
    };
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const first = document.querySelector("tr[data-words]:not([hidden]) a");
      if (first && query.value) first.click();
    });
    query.addEventListener("input", filter);
    query.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        query.value = "";
        filter();
      }
    });
    document.addEventListener("keydown", (event) => {
      if (event.key === "/" && !event.ctrlKey && !event.metaKey && document.activeElement !== query) {
        event.preventDefault();
        query.focus();
      }
    });
    filter();
  }
  for (const input of document.querySelectorAll(".switch input")) {
    const key = `errors.${input.name}`;
    try {
      if (localStorage.getItem(key) === input.value) input.checked = true;
      input.addEventListener("change", () => localStorage.setItem(key, input.value));
    } catch {
      // storage is switched off: nothing is remembered
    }
  }
})();

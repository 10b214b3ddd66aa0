// Search, copying, and the choice of dialect and language remembered. All else works without this.
(() => {
  "use strict";
  const CODES = {{ searched | tojson }};
  const root = new URL(".", document.currentScript.src);
  const form = document.getElementById("search");
  const query = document.getElementById("query");
  const status = document.getElementById("found");
  const results = document.getElementById("results");
  const rows = new Map([...document.querySelectorAll("tr[data-code]")].map((row) => [row.dataset.code, row]));
  const fitting = () => {
    const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
    return words.length ? CODES.filter(([, , , text]) => words.every((word) => text.includes(word))) : null;
  };
  const page = (code) => new URL(`${code}/index.html`, root).href;
  const show = () => {
    const found = fitting();
    status.textContent = found ? `${found.length} of ${CODES.length} codes` : "";
    if (rows.size) {
      const codes = new Set((found ?? CODES).map(([code]) => code));
      for (const [code, row] of rows) row.hidden = !codes.has(code);
      for (const area of document.querySelectorAll(".area")) area.hidden = !area.querySelector("tbody tr:not([hidden])");
      document.getElementById("nothing").hidden = codes.size > 0;
      return;
    }
    results.hidden = !found;
    results.replaceChildren(
      ...(found ?? []).slice(0, 12).map(([code, spelling, words]) => {
        const item = document.createElement("li");
        const link = item.appendChild(document.createElement("a"));
        link.href = page(code);
        link.appendChild(document.createElement("code")).textContent = spelling;
        link.appendChild(document.createElement("span")).textContent = words;
        return item;
      }),
    );
  };
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const found = fitting();
    if (found && found.length) location.href = page(found[0][0]);
  });
  query.addEventListener("input", show);
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      query.value = "";
      query.focus();
      show();
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.ctrlKey && !event.metaKey && document.activeElement !== query) {
      event.preventDefault();
      query.focus();
    }
  });

  for (const block of document.querySelectorAll("pre")) {
    const holder = document.createElement("div");
    holder.className = "copied";
    block.replaceWith(holder);
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.setAttribute("aria-label", `Copy: ${block.getAttribute("aria-label")}`);
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(block.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(block);
        button.textContent = "Selected";
      }
      setTimeout(() => (button.textContent = "Copy"), 2000);
    });
    holder.append(block, button);
  }

  const asked = new URLSearchParams(location.search);
  const hash = decodeURIComponent(location.hash.slice(1)).toLowerCase();
  const inputs = [...document.querySelectorAll(".switch input")];
  for (const input of inputs) {
    const key = `errors.${input.name}`;
    const named = asked.get(input.name)?.toLowerCase();
    try {
      const wanted = named ?? localStorage.getItem(key)?.toLowerCase();
      if (wanted === input.value.toLowerCase()) input.checked = true;
    } catch {
      // storage is switched off: nothing is remembered
    }
    if (input.name === "language" && hash === input.value.toLowerCase()) {
      input.checked = true;
      input.closest("section").scrollIntoView();
    }
    input.addEventListener("change", () => {
      asked.set(input.name, input.value);
      history.replaceState(null, "", `?${asked}${location.hash}`);
      try {
        localStorage.setItem(key, input.value);
      } catch {
        // as above
      }
    });
  }
})();

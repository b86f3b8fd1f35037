"use strict";
(() => {
  // Per-class table: one figure at a time. Without script all three tables stand below each other.
  const tabs = document.querySelector(".tabs");
  const show = (figure) => {
    for (const button of tabs.children) button.setAttribute("aria-pressed", String(button.value === figure));
    for (const table of document.querySelectorAll("[data-figure]")) table.hidden = table.dataset.figure !== figure;
  };
  tabs.hidden = false;
  tabs.addEventListener("click", (event) => { if (event.target.value) show(event.target.value); });
  show("recall");

  // Clip filters: the address holds their state, so a view can be sent as a link.
  const form = document.querySelector("#filters");
  if (!form) return;
  const selects = [...form.querySelectorAll("select")];
  const clips = [...document.querySelectorAll("article")];
  const fits = (clip) => selects.every((select) => select.value === "" || clip.dataset[select.name] === select.value);
  const apply = () => {
    let shown = 0;
    for (const clip of clips) { clip.hidden = !fits(clip); shown += clip.hidden ? 0 : 1; }
    document.querySelector("#shown").textContent = `${shown} of ${clips.length} clips`;
    form.querySelector("button").disabled = selects.every((select) => select.value === "");
  };
  const read = () => {
    const state = new URLSearchParams(location.hash.slice(1));
    const named = selects.some((select) => state.has(select.name));
    if (named) for (const select of selects) {
      const wanted = state.get(select.name) ?? "";
      select.value = [...select.options].some((option) => option.value === wanted) ? wanted : "";
    }
    apply();
    return named;
  };
  const write = () => {
    const state = new URLSearchParams(selects.filter((s) => s.value !== "").map((s) => [s.name, s.value]));
    history.replaceState(null, "", `#${state.size ? state : "clips"}`);
    apply();
  };
  form.hidden = false;
  form.addEventListener("change", write);
  form.addEventListener("reset", () => setTimeout(write));
  addEventListener("hashchange", read);
  if (read()) document.querySelector("#clips").scrollIntoView();
})();

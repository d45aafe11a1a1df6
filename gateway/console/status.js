"use strict";
const PERIOD_MS = 2000;

function tables() {
  return [...document.querySelectorAll(".scroll")];
}

async function refresh() {
  try {
    const answer = await fetch(location.pathname, { cache: "no-store" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const scrolled = tables().map((table) => table.scrollLeft);
    document.querySelector("main").replaceWith(page.querySelector("main"));
    tables().forEach((table, i) => { table.scrollLeft = scrolled[i]; });
    document.body.classList.remove("stale");
  } catch {
    document.body.classList.add("stale");
  }
}

async function keep_fresh() {
  // What somebody is selecting to copy, or is not looking at, stays as it is.
  if (!document.hidden && getSelection().isCollapsed) await refresh();
  setTimeout(keep_fresh, PERIOD_MS);
}

setTimeout(keep_fresh, PERIOD_MS);

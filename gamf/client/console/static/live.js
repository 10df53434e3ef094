// Keeps the page true. The server says that what it shows has changed, and nothing of what; the same page is asked for
// again, and its parts marked data-live are replaced by what came. A form that somebody is filling in is left as it is,
// with a note. A page that nobody sees asks for nothing. Without this, the page stands as it was read.
"use strict";
(() => {
  const main = document.querySelector("main[data-live-subject]");
  if (!main) {
    return;
  }
  const said = main.dataset;
  const BY_ITSELF = { "Gamf-Live": "1" };
  const AT_LEAST = 300; // what comes together is shown together
  const APART = 5_000; // between two pages: each is a look, and nobody reads faster
  const FIRST_WAIT = 1_000;
  const LONGEST_WAIT = 30_000;
  const given = new WeakMap(); // a part, and what the server last gave of it
  const noted = new WeakMap(); // a part that is kept, and the change that its note is about
  let place = said.liveSince;
  let ended = false;
  let timer = null;
  let asked = -APART;
  let waiting = false; // a change that is not on the page yet: nobody looks, or a form is being filled in
  let stream = null;

  // --- what is on the page ------------------------------------------------------------------------------------

  // But for what is never the same twice: the number of a form, a countdown, the present moment.
  function text(part) {
    const copy = part.cloneNode(true);
    for (const each of copy.querySelectorAll('input[name="form"], .gamf-countdown, [data-live-aside]')) {
      each.remove();
    }
    for (const each of [copy, ...copy.querySelectorAll("details[open]")]) {
      each.removeAttribute("open");
    }
    return copy.outerHTML;
  }

  function within(root) {
    return [...root.querySelectorAll("[data-live]")].filter((each) => {
      const outer = each.parentElement.closest("[data-live]");
      return outer === null ? root.tagName === "MAIN" : outer === root;
    });
  }

  function remember(root) {
    for (const each of [root, ...root.querySelectorAll("[data-live]")]) {
      given.set(each, text(each));
    }
  }

  function isEdited(field) {
    if (field.type === "hidden") {
      return false;
    }
    if (field.type === "checkbox" || field.type === "radio") {
      return field.checked !== field.defaultChecked;
    }
    if (field.tagName === "SELECT") {
      const first = [...field.options].findIndex((each) => each.defaultSelected);
      return field.selectedIndex !== Math.max(first, 0);
    }
    return field.value !== field.defaultValue;
  }

  // Somebody is at it: a field is filled in, or the focus is in a form or in an action that is open.
  function isHeld(part) {
    const focus = document.activeElement;
    const at = part.contains(focus) && focus.closest("form, details[open]");
    return Boolean(at && main.contains(at)) || [...part.querySelectorAll("input, select, textarea")].some(isEdited);
  }

  function trace(element) {
    const name = element.id || element.getAttribute("href") || element.name || element.getAttribute("aria-label");
    return `${element.tagName} ${name || element.textContent}`;
  }

  function replace(part, next) {
    const open = new Set([...part.querySelectorAll("details[open] > summary")].map((each) => each.textContent));
    const isOpen = part.tagName === "DETAILS" && part.open;
    const scrolled = [...part.querySelectorAll(".gamf-scroll")].map((each) => each.scrollLeft);
    const focus = part.contains(document.activeElement) ? trace(document.activeElement) : null;
    const fresh = document.importNode(next, true);
    remember(fresh);
    for (const each of fresh.querySelectorAll("details > summary")) {
      each.parentElement.open = open.has(each.textContent);
    }
    if (isOpen) {
      fresh.open = true;
    }
    fresh.classList.add("gamf-replaced");
    part.replaceWith(fresh);
    fresh.querySelectorAll(".gamf-scroll").forEach((each, number) => {
      each.scrollLeft = scrolled[number] ?? 0;
    });
    if (focus !== null) {
      const same = [...fresh.querySelectorAll("a, button, summary, [tabindex]")].find((each) => trace(each) === focus);
      (same ?? main).focus({ preventScroll: true });
    }
  }

  function note(part, change) {
    if (noted.get(part) === change) {
      return false;
    }
    noted.set(part, change);
    if (!part.querySelector(".gamf-live-note")) {
      const words = document.createElement("p");
      words.className = "gamf-live-note";
      words.textContent = said.liveKept;
      const inside = part.tagName === "TR" ? part.lastElementChild : part;
      const summary = part.tagName === "DETAILS" ? part.querySelector("summary") : null;
      if (summary) {
        summary.after(words);
      } else {
        inside.prepend(words);
      }
    }
    return true;
  }

  // What became of one part; `news` gathers what is to be said of the whole page.
  function bring(part, next, news) {
    const change = text(next);
    if (given.get(part) === change) {
      return;
    }
    if (!isHeld(part)) {
      replace(part, next);
      news.changed = true;
      return;
    }
    news.waits = true;
    const parts = within(part);
    if (parts.length === 0) {
      news.kept = note(part, change) || news.kept;
      return;
    }
    given.delete(part); // it is neither what it was nor what came
    bringEach(part, parts, next, news);
  }

  // Somebody is at one of several parts: the others follow.
  function bringEach(whole, parts, next, news) {
    const coming = within(next);
    const byName = new Map(coming.map((each) => [each.dataset.live, each]));
    const here = new Set(parts.map((each) => each.dataset.live));
    for (const part of parts) {
      const its = byName.get(part.dataset.live);
      if (its) {
        bring(part, its, news);
      } else if (isHeld(part)) {
        news.kept = note(part, "") || news.kept;
      } else {
        part.remove();
        news.changed = true;
      }
    }
    let before = null;
    for (const each of coming) {
      if (!here.has(each.dataset.live)) {
        const fresh = document.importNode(each, true);
        remember(fresh);
        if (before) {
          before.after(fresh);
        } else {
          within(whole)[0].before(fresh);
        }
        news.changed = true;
      }
      before = within(whole).find((part) => part.dataset.live === each.dataset.live) ?? before;
    }
  }

  function announce(words, link) {
    const region = document.getElementById("annonces");
    const place = document.createElement("p");
    place.className = "gamf-said gamf-live-said";
    place.append(words);
    if (link) {
      place.append(" ", link);
    }
    region.querySelector(".gamf-live-said")?.remove();
    region.append(place);
  }

  // --- the page again -----------------------------------------------------------------------------------------

  function soon() {
    waiting = true;
    if (!ended && timer === null && !document.hidden) {
      timer = setTimeout(refresh, Math.max(AT_LEAST, asked + APART - performance.now()));
    }
  }

  async function refresh(again = said.liveSubject.includes(":")) {
    timer = null;
    asked = performance.now();
    waiting = false;
    let answer;
    try {
      const address = location.pathname + location.search;
      answer = await fetch(address, { headers: BY_ITSELF, redirect: "manual", cache: "no-store" });
      if (answer.type === "opaqueredirect") {
        over();
      } else if (answer.ok) {
        show(await answer.text(), again);
      } else if (answer.status < 500 && answer.status !== 429) {
        gone();
      } else {
        soon();
      }
    } catch {
      soon();
    }
  }

  function show(html, again) {
    const read = new DOMParser().parseFromString(html, "text/html").querySelector("main");
    const coming = new Map(within(read).map((each) => [each.dataset.live, each]));
    const news = { changed: false, kept: false, waits: false };
    for (const part of within(main)) {
      const its = coming.get(part.dataset.live);
      if (its) {
        bring(part, its, news);
      }
    }
    if (news.changed) {
      document.dispatchEvent(new Event("gamf:replaced"));
    }
    if (news.changed || news.kept) {
      announce(news.kept ? said.liveKept : said.liveChanged);
    } else if (again && !news.waits) {
      // PostgreSQL was told before the workflow's own view was: once more.
      timer ??= setTimeout(() => refresh(false), APART);
    }
    waiting = news.waits;
  }

  function over() {
    if (!ended) {
      const link = document.createElement("a");
      link.href = `/connexion?suite=${encodeURIComponent(location.pathname + location.search)}`;
      link.textContent = said.liveSignIn;
      announce(said.liveOver, link);
    }
    end();
  }

  function gone() {
    if (!ended) {
      announce(said.liveGone);
    }
    end();
  }

  function end() {
    ended = true;
    stream?.abort();
    clearTimeout(timer);
  }

  // --- the stream ---------------------------------------------------------------------------------------------

  async function listen() {
    let wait = FIRST_WAIT;
    while (!ended) {
      await seen();
      const began = performance.now();
      const told = await follow();
      wait = told || performance.now() - began > LONGEST_WAIT ? FIRST_WAIT : Math.min(2 * wait, LONGEST_WAIT);
      if (!ended && !document.hidden) {
        // Not all at the same moment, when a server comes back.
        await new Promise((resolve) => setTimeout(resolve, wait * (0.5 + Math.random() / 2)));
      }
    }
  }

  async function follow() {
    stream = new AbortController();
    const address = `/direct?${new URLSearchParams({ sujet: said.liveSubject, depuis: said.liveSince })}`;
    const headers = { ...BY_ITSELF, "Last-Event-ID": place };
    let told = false;
    try {
      const answer = await fetch(address, { headers, redirect: "manual", cache: "no-store", signal: stream.signal });
      if (answer.type === "opaqueredirect") {
        over();
      } else if (answer.status === 403 || answer.status === 422) {
        gone();
      } else if (answer.ok) {
        told = await events(answer.body.pipeThrough(new TextDecoderStream()).getReader());
      }
    } catch {
      // The server is away, or the page went out of sight: the next turn goes on from where this one was.
    }
    return told;
  }

  async function events(reader) {
    let left = "";
    let told = false;
    for (;;) {
      const { value, done } = await reader.read();
      if (done) {
        return told;
      }
      const lines = (left + value).split("\n");
      left = lines.pop();
      for (const line of lines) {
        told = true;
        take(...line.split(/: ?/, 2));
      }
    }
  }

  function take(name, value) {
    if (name === "id") {
      place = value;
    } else if (name === "event") {
      ({ changed: soon, over, gone })[value]?.();
    }
  }

  function seen() {
    return new Promise((resolve) => {
      if (!document.hidden) {
        resolve();
        return;
      }
      document.addEventListener("visibilitychange", () => resolve(), { once: true });
    });
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      stream?.abort();
      clearTimeout(timer);
      timer = null;
    } else if (waiting) {
      soon();
    }
  });
  // Whoever was at a form has left it: what waited comes.
  main.addEventListener("focusout", () => {
    setTimeout(() => {
      if (waiting && ![...main.querySelectorAll("[data-live]")].some(isHeld)) {
        soon();
      }
    });
  });
  for (const each of within(main)) {
    remember(each);
  }
  listen();
})();

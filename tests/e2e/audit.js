({
  // What a person would see of a page, measured in it: `audits.py` asks one of these at a time.

  // Everything that is drawn, but for what is there for screen readers alone.
  _seen() {
    return [...document.body.querySelectorAll("*")].filter(
      (each) => each.getClientRects().length > 0 && !each.closest(".gamf-hidden, .gamf-skip"),
    );
  },

  _name(each) {
    const words = (each.getAttribute("aria-label") || each.textContent || each.name || "").trim().replace(/\s+/g, " ");
    return `${each.tagName.toLowerCase()}${each.id ? `#${each.id}` : ""} "${words.slice(0, 50)}"`;
  },

  open() {
    document.querySelectorAll("details").forEach((each) => {
      each.open = true;
    });
  },

  // Wider than the page, out of it, or cut off by its own box.
  cut() {
    const page = document.documentElement;
    const found = page.scrollWidth > page.clientWidth ? [`the page is ${page.scrollWidth} wide`] : [];
    for (const each of this._seen()) {
      const box = each.getBoundingClientRect();
      const scrolls = each.closest(".gamf-scroll");
      if (!scrolls && (box.right > page.clientWidth + 1 || box.left < -1)) {
        found.push(`out of the page: ${this._name(each)}`);
      }
      const style = getComputedStyle(each);
      const hides = [style.overflowX, style.overflowY].some((way) => way === "hidden" || way === "clip");
      if (hides && !each.matches("svg *, img, input, select") && (each.scrollWidth > each.clientWidth + 1 || each.scrollHeight > each.clientHeight + 1)) {
        found.push(`cut off: ${this._name(each)}`);
      }
    }
    for (const each of document.querySelectorAll("svg text")) {
      const words = each.getBoundingClientRect();
      const picture = each.ownerSVGElement.getBoundingClientRect();
      if (words.right > picture.right + 1 || words.left < picture.left - 1 || words.bottom > picture.bottom + 1) {
        found.push(`out of the picture: ${this._name(each)}`);
      }
    }
    return found;
  },

  // Text of a picture that is too small to read, in CSS pixels.
  small(least) {
    return [...document.querySelectorAll("svg text")].flatMap((each) => {
      const drawn = parseFloat(getComputedStyle(each).fontSize) * each.getScreenCTM().a;
      return drawn < least - 0.05 ? [`${drawn.toFixed(1)} px: ${this._name(each)}`] : [];
    });
  },

  // What still moves for somebody who asked for less.
  moving() {
    return this._seen().flatMap((each) => {
      const style = getComputedStyle(each);
      const lasts = (value) => value.split(",").some((part) => parseFloat(part) > 0.001);
      const moves = (style.animationName !== "none" && lasts(style.animationDuration)) || lasts(style.transitionDuration);
      return moves ? [this._name(each)] : [];
    });
  },

  // Where the text and the marks of each picture are, in CSS pixels from the top left of the picture.
  parts(picture) {
    const frame = picture.getBoundingClientRect();
    const drawn = [...picture.querySelectorAll("text, circle, path, rect, line")].filter(
      (each) => each.tagName !== "rect" || each.getBBox().width > 0,
    );
    return drawn.map((each) => {
      const box = each.getBoundingClientRect();
      return {
        name: this._name(each),
        words: each.tagName === "text",
        box: [box.left - frame.left, box.top - frame.top, box.right - frame.left, box.bottom - frame.top],
      };
    });
  },

  // Each field at fault: tied to words that say why, and where one is.
  faults() {
    const found = [...document.querySelectorAll("[aria-invalid=true]")].flatMap((each) => {
      const told = (each.getAttribute("aria-describedby") || "").split(" ").map((id) => document.getElementById(id));
      return told.some((words) => words && words.textContent.trim()) ? [] : [`not told: ${this._name(each)}`];
    });
    const first = document.querySelector("main [aria-invalid=true]") || document.querySelector("main [role=alert][tabindex]");
    if (first && document.activeElement !== first) {
      found.push(`one is at ${this._name(document.activeElement)}, not at ${this._name(first)}`);
    }
    return found;
  },

  // The visible words of one language: those of the page, or of its parts in the other one.
  words(language) {
    const walker = document.createTreeWalker(document, NodeFilter.SHOW_TEXT);
    const found = [];
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const around = node.parentElement;
      const spoken = around.closest("[lang]").lang;
      if (spoken === language && !around.closest("script, style, code, pre, [translate=no]") && node.data.trim()) {
        found.push(node.data.trim().replace(/[ \t\n]+/g, " "));
      }
    }
    for (const each of document.querySelectorAll("[aria-label], [alt], [title], [placeholder]")) {
      if (each.closest("[lang]").lang === language && !each.closest("[translate=no]")) {
        found.push(...["aria-label", "alt", "title", "placeholder"].map((name) => each.getAttribute(name)).filter(Boolean));
      }
    }
    return found;
  },

  // Put the keyboard before everything.
  begin() {
    document.body.tabIndex = -1;
    document.body.focus();
    document.body.removeAttribute("tabindex");
  },

  // Where the keyboard is: whether it shows, and whether anything lies over it.
  focus() {
    const each = document.activeElement;
    if (!each || each === document.body || each === document.documentElement) {
      return null;
    }
    const colour = (value) => {
      const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
      canvas.fillStyle = value;
      canvas.fillRect(0, 0, 1, 1);
      return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const light = ([red, green, blue]) => {
      const part = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
      return 0.2126 * part(red) + 0.7152 * part(green) + 0.0722 * part(blue);
    };
    const behind = (start) => {
      for (let up = start; up; up = up.parentElement) {
        const under = colour(getComputedStyle(up).backgroundColor);
        if (under[3] === 255) {
          return under;
        }
      }
      return [255, 255, 255, 255];
    };
    const style = getComputedStyle(each);
    const [one, other] = [light(colour(style.outlineColor)), light(behind(each.parentElement))].sort((a, b) => b - a);
    const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && (one + 0.05) / (other + 0.05) >= 3;
    const box = each.getBoundingClientRect();
    const at = [Math.max(box.left, 0) + Math.min(box.width, innerWidth) / 2, Math.max(box.top, 0) + Math.min(box.height, 40) / 2];
    const top = document.elementFromPoint(...at);
    const clear = top !== null && (each.contains(top) || top.contains(each) || top.closest("label")?.control === each);
    each.dataset.stop ||= String(document.querySelectorAll("[data-stop]").length + 1);
    return { stop: each.dataset.stop, name: this._name(each), shows: outlined, clear };
  },

  // What the keyboard should come to.
  stops() {
    const ways = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]";
    const radios = new Set();
    return [...document.querySelectorAll(ways)].filter((each) => {
      const drawn = each.checkVisibility() && each.tabIndex >= 0 && !each.disabled;
      const again = each.type === "radio" && radios.has(each.name);
      if (each.type === "radio") {
        radios.add(each.name);
      }
      return drawn && !again;
    }).length;
  },
})

// Countdowns: what is left until each deadline of the page, told beside it and kept true. Without this, the dates stand.
"use strict";
(() => {
  const french = document.documentElement.lang === "fr";
  const MINUTE = 60_000;
  const HOUR = 60 * MINUTE;
  const DAY = 24 * HOUR;

  function words(left) {
    const days = Math.floor(left / DAY);
    const hours = Math.floor((left % DAY) / HOUR);
    const minutes = Math.floor((left % HOUR) / MINUTE);
    if (left <= 0) {
      return french ? "délai passé" : "time is over";
    }
    if (days > 3) {
      return french ? `dans ${days}\u00a0jours` : `in ${days} days`;
    }
    if (left >= HOUR) {
      const shown = String(minutes).padStart(2, "0");
      return french ? `dans ${days * 24 + hours}\u00a0h\u00a0${shown}` : `in ${days * 24 + hours} h ${shown} min`;
    }
    return french ? `dans ${minutes + 1}\u00a0min` : `in ${minutes + 1} min`;
  }

  // A part of the page may be replaced (live.js): each look finds the deadlines that are there now.
  function tell() {
    for (const time of document.querySelectorAll("time[data-countdown]")) {
      let place = time.nextElementSibling;
      if (!place?.classList.contains("gamf-countdown")) {
        place = document.createElement("span");
        place.className = "gamf-countdown";
        time.after(place);
      }
      const text = ` (${words(Date.parse(time.dateTime) - Date.now())})`;
      if (place.textContent !== text) {
        place.textContent = text;
      }
    }
  }

  tell();
  setInterval(tell, 1000);
  document.addEventListener("gamf:replaced", tell);
})();

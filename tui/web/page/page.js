// Around the terminal: it has the keyboard from the beginning, and a lost connection is taken up again.
"use strict";

const FULL = 4001;
const ENDED = 4000;
const FIRST_WAIT = 500;
const LONGEST_WAIT = 8000;

const Native = window.WebSocket;

window.WebSocket = class extends Native {
  constructor(...rest) {
    super(...rest);
    this.addEventListener("close", (event) => left(event.code));
  }

  send(data) {
    if (this.readyState === Native.CONNECTING) {
      this.addEventListener("open", () => super.send(data), { once: true });
    } else {
      super.send(data);
    }
  }
};

function say(words) {
  document.getElementById("said").textContent = words;
  document.body.classList.toggle("-says", words !== "");
}

function left(code) {
  if (code === ENDED) {
    say("The board is closed. What runs goes on.\nEnter or a click opens it again.");
    document.addEventListener("keydown", (event) => event.key === "Enter" && location.reload(), true);
    document.addEventListener("click", () => location.reload());
  } else if (code === FULL) {
    say("As many boards are open as may be. This one opens when another is closed.");
    again(FIRST_WAIT);
  } else if (!document.body.classList.contains("-first-byte")) {
    say("The board cannot be opened; the terminal of `solo-unicorn web` says why.");
    again(LONGEST_WAIT);
  } else {
    say("The connection is lost. Nothing else is: the board comes back as soon as it can.");
    again(FIRST_WAIT);
  }
}

function again(wait) {
  setTimeout(async () => {
    try {
      const answer = await fetch("state", { cache: "no-store" });
      if (answer.status === 401) {
        say("You are signed out: the server was started anew.\nOpen the link that it printed.");
        return;
      }
      if (answer.ok && !(await answer.json()).full) {
        location.reload();
        return;
      }
    } catch (error) {
      console.debug("not there yet", error);
    }
    again(Math.min(wait * 2, LONGEST_WAIT));
  }, wait);
}

function focus() {
  const keyboard = document.querySelector(".xterm-helper-textarea");
  if (keyboard && document.activeElement !== keyboard) {
    keyboard.focus();
  }
  return keyboard !== null;
}

window.addEventListener("DOMContentLoaded", () => {
  const seen = new MutationObserver(() => {
    if (focus()) {
      seen.disconnect();
    }
  });
  seen.observe(document.body, { childList: true, subtree: true });
  window.addEventListener("focus", focus);
  document.addEventListener("click", focus);
});

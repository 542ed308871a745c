// The button for alerts: it appears where the browser can show them, and asks for permission only after a click.
"use strict";
(function () {
  var part = document.querySelector("[data-alerts]");
  if (!part || !("serviceWorker" in navigator) || !("PushManager" in window) || !("Notification" in window)) return;
  var button = part.querySelector("button");
  var says = part.querySelector("[role=status]");
  var texts = part.dataset;

  function bytes(text) {
    var raw = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(raw, function (letter) { return letter.charCodeAt(0); });
  }
  function show(on, words) {
    button.textContent = on ? texts.off : texts.on;
    button.setAttribute("aria-pressed", on ? "true" : "false");
    says.textContent = words || "";
  }
  function registration() {
    return navigator.serviceWorker.register("/push/worker.js", { scope: "/push/" }).then(function (made) {
      if (made.active) return made;
      var worker = made.installing || made.waiting;
      return new Promise(function (resolve) {
        worker.addEventListener("statechange", function () {
          if (worker.state === "activated") resolve(made);
        });
      });
    });
  }
  function current() {
    return navigator.serviceWorker.getRegistration("/push/").then(function (made) {
      return made ? made.pushManager.getSubscription() : null;
    });
  }
  function tell(method, body) {
    return fetch("/push/subscriptions", {
      method: method,
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    }).then(function (answer) {
      if (!answer.ok) throw new Error(String(answer.status));
    });
  }
  function turnOn() {
    return Notification.requestPermission().then(function (allowed) {
      if (allowed !== "granted") {
        show(false, texts.blocked);
        return;
      }
      return Promise.all([registration(), fetch("/push/key").then(function (answer) { return answer.json(); })])
        .then(function (both) {
          return both[0].pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(both[1].key) });
        })
        .then(function (made) {
          return tell("POST", Object.assign(made.toJSON(), { language: texts.language })).catch(function (error) {
            return made.unsubscribe().then(function () { throw error; });
          });
        })
        .then(function () { show(true); });
    });
  }
  function turnOff(made) {
    return tell("DELETE", { endpoint: made.endpoint })
      .then(function () { return made.unsubscribe(); })
      .then(function () { show(false); });
  }

  button.addEventListener("click", function () {
    button.disabled = true;
    current()
      .then(function (made) { return made ? turnOff(made) : turnOn(); })
      .catch(function () { says.textContent = texts.failed; })
      .then(function () { button.disabled = false; });
  });
  current().then(function (made) {
    show(Boolean(made));
    part.hidden = false;
  });
})();

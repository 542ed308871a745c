// Shows what the newsroom sends, and leads to the page. It keeps nothing and intercepts no request.
"use strict";

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => {
  let news = {};
  try {
    news = event.data ? event.data.json() : {};
  } catch (error) {
    news = {};
  }
  const prefix = WORDS[news.lang] && WORDS[news.lang][news.event];
  const title = prefix ? prefix + " – " + (news.title || "") : news.title || NAME;
  // Every push must show something; one of the same article takes the place of the one before, quietly.
  event.waitUntil(
    self.registration.showNotification(title, {
      body: news.body || "",
      tag: news.tag || "news",
      lang: news.lang || "",
      dir: news.lang === "ar" ? "rtl" : "auto",
      icon: ICON,
      data: { url: news.url || "/" },
    })
  );
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(self.clients.openWindow(event.notification.data.url));
});

self.addEventListener("pushsubscriptionchange", (event) => {
  const key = event.oldSubscription && event.oldSubscription.options.applicationServerKey;
  if (!key) return;
  event.waitUntil(
    self.registration.pushManager
      .subscribe({ userVisibleOnly: true, applicationServerKey: key })
      .then((renewed) =>
        fetch("/push/subscriptions", {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify(Object.assign(renewed.toJSON(), { replaces: event.oldSubscription.endpoint })),
        })
      )
  );
});

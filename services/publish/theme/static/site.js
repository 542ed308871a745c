// More of "read also" as the reader nears the end of it: each related article's own set, in turn. Without this script
// the page still has its whole set.
"use strict";
(() => {
  const block = document.querySelector(".related[data-more]");
  if (!block) return;
  if (!("IntersectionObserver" in window)) return block.classList.add("whole");
  const list = block.querySelector(".teasers");
  const seen = new Set([location.pathname]);
  const waiting = [];
  const most = 48;
  let busy = false;

  const status = document.createElement("p");
  status.className = "loading";
  status.setAttribute("role", "status");
  block.append(status);

  for (const link of list.querySelectorAll(".headline a")) {
    const path = link.getAttribute("href");
    seen.add(path);
    waiting.push(path + "/related.json");
  }

  const element = (name, className, text) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text) made.textContent = text;
    return made;
  };

  const teaser = (one) => {
    const item = element("li");
    const card = element("article", "teaser");
    if (one.language !== document.documentElement.lang) {
      card.lang = one.language;
      card.dir = one.direction;
    }
    if (one.picture) {
      card.classList.add("pictured");
      const frame = element("div", "picture");
      const image = element("img");
      image.loading = "lazy";
      image.alt = one.picture.alt;
      image.width = one.picture.width;
      image.height = one.picture.height;
      image.sizes = "(min-width: 64rem) 18rem, (min-width: 44rem) 45vw, 100vw";
      image.srcset = one.picture.srcset;
      image.src = one.picture.src;
      const small = element("source");
      small.media = "(max-width: 43.99rem)";
      small.srcset = one.picture.thumb;
      const both = element("picture");
      both.append(small, image);
      frame.append(both);
      card.append(frame);
    }
    card.append(element("p", "kicker", one.section));
    const headline = element("h3", "headline");
    const link = element("a", "", one.headline);
    link.href = one.path;
    headline.append(link);
    card.append(headline);
    if (one.excerpt) card.append(element("p", "summary", one.excerpt));
    const meta = element("p", "meta");
    const time = element("time", "", one.date);
    time.dateTime = one.published_at;
    meta.append(time);
    card.append(meta);
    item.append(card);
    return item;
  };

  // Nothing that is seen may move. The style sheet keeps a screen free below the list, so that what follows it is out of
  // sight while more comes; where a reader was quicker, more waits until he is back.
  const place = (one) => one.getBoundingClientRect();
  const quiet = (fits) => new Promise((go) => {
    const look = () => (fits() ? go() : addEventListener("scroll", look, { once: true, passive: true }));
    look();
  });

  const more = async () => {
    if (busy) return;
    busy = true;
    status.textContent = block.dataset.loading;
    const found = [];
    const room = () => list.children.length + found.length < most;
    while (waiting.length && found.length < 3 && room()) {
      try {
        const answer = await fetch(waiting.shift());
        if (!answer.ok) continue;
        for (const one of (await answer.json()).items) {
          if (seen.has(one.path) || !room()) continue;
          seen.add(one.path);
          waiting.push(one.related);
          found.push(teaser(one));
        }
      } catch {
        break;
      }
    }
    if (found.length) await quiet(() => place(block).bottom >= innerHeight);
    list.append(...found);
    status.textContent = "";
    busy = false;
    if (found.length && waiting.length && list.children.length < most) {
      watcher.unobserve(status);
      watcher.observe(status);
      return;
    }
    watcher.disconnect();
    // The free screen is given up where it cannot be seen either.
    await quiet(() => place(status).top >= innerHeight || place(block).bottom < 0);
    block.classList.add("whole");
  };

  const watcher = new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting)) more();
  }, { rootMargin: "1600px 0px" });
  watcher.observe(status);
})();

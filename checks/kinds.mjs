// One address for each kind of page of a running site, found as a reader would: by following links.
const find = async (base, path, pattern) => {
  const text = await (await fetch(base + path)).text();
  return text.match(pattern)?.[1];
};
const HEADLINE = /class="headline"><a href="([^"]+)"/;
const PICTURED = /class="teaser pictured"[\s\S]*?class="headline"><a href="([^"]+)"/;
const PLAIN = /class="teaser"[\s\S]*?class="headline"><a href="([^"]+)"/;

export const kinds = async (base) => {
  const found = {
    "front": "/",
    "front-en": "/en/",
    "front-ar": "/ar/",
    "section": await find(base, "/", /<nav class="sections"[\s\S]*?href="(\/[a-z]+\/)"/),
    "section-ar": await find(base, "/ar/", /<nav class="sections"[\s\S]*?href="(\/ar\/[a-z]+\/)"/),
    "article": await find(base, "/", PICTURED),
    "article-plain": await find(base, "/", PLAIN),
    "article-en": await find(base, "/en/", HEADLINE),
    "article-ar": await find(base, "/ar/", HEADLINE),
    "archive": "/archive/",
    "search": "/search?lang=fr&q=pont",
    "search-ar": "/search?lang=ar&q=%D9%85%D8%A7%D8%A1",
    "search-nothing": "/search?lang=fr&q=xyzzy",
    "letters": "/newsletter/?language=fr",
    "contact": "/contact",
    "unknown": "/nowhere",
  };
  found["tag"] = await find(base, found["article"], /rel="tag" href="([^"]+)"/);
  found["author"] = await find(base, found["article"], /rel="author" href="([^"]+)"/);
  found["month"] = await find(base, "/archive/", /<section class="year"[\s\S]*?href="([^"]+)"/);
  found["month-ar"] = await find(base, "/ar/archive/", /<section class="year"[\s\S]*?href="([^"]+)"/);
  // The demo newspaper's own: an article that was killed, one that was retracted, one that was corrected.
  for (const [name, path, status] of [
    ["tombstone", "/societe/temoin-agression-gare-du-sel", 410],
    ["retraction", "/economie/port-amande-chantier-naval-rachat", 200],
    ["correction", "/politique/conseil-municipal-pont-des-salines-vote", 200],
  ]) {
    if ((await fetch(base + path)).status === status) found[name] = path;
  }
  return Object.fromEntries(Object.entries(found).filter(([, path]) => path));
};

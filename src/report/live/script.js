// The live part: pages hear what is new, and load those of their parts again that it concerns.
// A part has an id, and says with data-live what it shows: "runs", or "run:ID" for each run that goes on.
const live = () => [...document.querySelectorAll("[data-live]")];
if (document.body.classList.contains("live") && live().length) {
  const connection = document.getElementById("connection");
  let last = null;
  let isLoading = false;
  let isWanted = false;

  // Replaces the parts by those of the page as it is now, and keeps marks, unfolded parts and focus.
  const reload = async () => {
    if (isLoading) {
      isWanted = true;
      return;
    }
    isLoading = true;
    try {
      const reply = await fetch(location.href, { headers: { accept: "text/html" } });
      const page = new DOMParser().parseFromString(await reply.text(), "text/html");
      const parts = live();
      // A run that has ended has another page.
      if (parts.some((part) => !page.getElementById(part.id))) {
        location.reload();
        return;
      }
      for (const part of parts) {
        const fresh = page.getElementById(part.id);
        const marked = new Set([...part.querySelectorAll("input:checked")].map((it) => it.value));
        fresh.querySelectorAll("input[type=checkbox]").forEach((it) => (it.checked = marked.has(it.value)));
        const open = [...part.querySelectorAll("details")].map((it) => it.open);
        fresh.querySelectorAll("details").forEach((it, i) => (it.open = Boolean(open[i])));
        const scrolled = [...part.querySelectorAll(".scroll")].map((it) => it.scrollLeft);
        const focus = part.contains(document.activeElement) ? document.activeElement : null;
        const isSame = (it) => it.value === focus.value && it.textContent === focus.textContent;
        part.replaceWith(fresh);
        fresh.querySelectorAll(".scroll").forEach((it, i) => (it.scrollLeft = scrolled[i] || 0));
        if (focus) [...fresh.querySelectorAll("a, button, input, summary")].find(isSame)?.focus();
      }
      stops();
    } catch {
      // The server is away; the stream below says so, and asks again.
    } finally {
      isLoading = false;
      if (isWanted) {
        isWanted = false;
        reload();
      }
    }
  };

  const concerns = (part, now, before) => {
    const ids = part.dataset.live.split(" ").filter((it) => it.startsWith("run:")).map((it) => it.slice(4));
    if (ids.length) return ids.some((id) => now.epochs[id] !== before.epochs[id]);
    const isSame = JSON.stringify(now.epochs) === JSON.stringify(before.epochs);
    return now.version !== before.version || (part.id === "runs" && !isSame);
  };

  const listen = () => {
    const stream = new EventSource("/events");
    stream.onopen = () => (connection.textContent = "");
    stream.onerror = () => (connection.textContent = "The server is away. The page goes on when it is back.");
    stream.onmessage = (event) => {
      const now = JSON.parse(event.data);
      const before = last;
      last = now;
      if (before && live().some((part) => concerns(part, now, before))) reload();
    };
  };
  listen();
}

// A figure is drawn again as soon as one of its choices changes.
for (const form of document.querySelectorAll("form[data-now]")) {
  form.addEventListener("change", () => form.requestSubmit());
}

"use strict";
// Plays the call in step with its picture and transcript. Times are ms on the call's clock.
(() => {
  const sound = document.querySelector(".player audio");
  const follow = document.querySelector(".player .follow");
  const drawing = document.querySelector(".picture svg");
  const lines = [...document.querySelectorAll(".transcript li[data-start]")].map((element) => ({
    element,
    start: Number(element.dataset.start),
    end: Number(element.dataset.end),
    bars: drawing ? [...drawing.querySelectorAll(`a[href="#${element.id}"]`)] : [],
  }));
  const rows = drawing ? [...drawing.querySelectorAll("g[data-start]")].map((element) => ({
    start: Number(element.dataset.start),
    end: Number(element.dataset.end),
    left: Number(element.dataset.left),
    width: Number(element.dataset.width),
    bottom: Number(element.dataset.bottom),
    cursor: element.querySelector(".cursor"),
  })) : [];
  let playing = new Set();

  const at = () => sound.currentTime * 1000;

  function play(time) {
    sound.currentTime = Math.max(0, time) / 1000;
    sound.play();
  }

  function mark(line, isPlaying) {
    line.element.classList.toggle("playing", isPlaying);
    if (isPlaying) line.element.setAttribute("aria-current", "true");
    else line.element.removeAttribute("aria-current");
    for (const bar of line.bars) bar.classList.toggle("playing", isPlaying);
  }

  function show() {
    const now = at();
    const heard = new Set(lines.filter((line) => line.start <= now && now < line.end));
    for (const line of playing) if (!heard.has(line)) mark(line, false);
    for (const line of heard) {
      if (playing.has(line)) continue;
      mark(line, true);
      if (follow.checked) line.element.scrollIntoView({ block: "nearest" });
    }
    playing = heard;
    for (const row of rows) {
      const isHere = row.start <= now && now < row.end;
      row.cursor.classList.toggle("here", isHere);
      if (!isHere) continue;
      const x = row.left + (row.width * (now - row.start)) / (row.end - row.start);
      row.cursor.setAttribute("x1", x);
      row.cursor.setAttribute("x2", x);
    }
  }

  function keepShowing() {
    show();
    if (!sound.paused) requestAnimationFrame(keepShowing);
  }

  function step(direction) {
    const now = at();
    const starts = lines.map((line) => line.start);
    const next = direction > 0
      ? starts.find((start) => start > now + 50)
      : starts.findLast((start) => start < now - 1000);
    if (next !== undefined) play(next);
  }

  sound.addEventListener("play", keepShowing);
  sound.addEventListener("seeked", show);
  sound.addEventListener("timeupdate", show);
  document.querySelector(".player .speed").addEventListener("change", (event) => {
    sound.playbackRate = Number(event.target.value);
  });
  document.querySelector(".transcript").addEventListener("click", (event) => {
    const element = event.target.closest("li[data-start]");
    if (element && getSelection().isCollapsed) play(Number(element.dataset.start));
  });
  drawing?.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (link) {
      event.preventDefault();
      play(Number(document.querySelector(link.getAttribute("href")).dataset.start));
      return;
    }
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(drawing.getScreenCTM().inverse());
    const row = rows.find((one) => point.y < one.bottom);
    if (!row || point.x < row.left || point.x > row.left + row.width) return;
    play(row.start + ((row.end - row.start) * (point.x - row.left)) / row.width);
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("audio, select, input")) return;
    if (event.key === " " && event.target.closest?.("button")) return;
    const act = {
      " ": () => (sound.paused ? sound.play() : sound.pause()),
      ArrowLeft: () => (sound.currentTime = Math.max(0, sound.currentTime - 5)),
      ArrowRight: () => (sound.currentTime += 5),
      n: () => step(1),
      p: () => step(-1),
    }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  show();
})();

// Text and marks of the page that do not stand out from what is behind them, by WCAG 2.2, level AA: 4.5
// for text, 3 for large text and for what is drawn.
(() => {
  const parse = (color) => {
    const [r, g, b, a = 1] = color.match(/[\d.]+/g).map(Number);
    return { rgb: [r, g, b], a };
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((c) => {
      c /= 255;
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const { rgb, a } = parse(getComputedStyle(at).backgroundColor);
      if (a === 1) return rgb;
      if (a !== 0) throw new Error(`a half transparent ground: ${at.outerHTML.slice(0, 80)}`);
    }
    return [255, 255, 255];
  };
  const faults = [];
  let checked = 0;
  const check = (element, color, wanted, what) => {
    checked += 1;
    const ratio = contrast(parse(color).rgb, behind(element));
    if (ratio < wanted) faults.push(`${ratio.toFixed(2)} of ${wanted}: ${what}`);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const words = walker.currentNode.textContent.trim();
    const element = walker.currentNode.parentElement;
    if (!words || element.closest("script, style, title") || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const color = element.closest("svg") ? style.fill : style.color;
    check(element, color, isLarge ? 3 : 4.5, `"${words.slice(0, 60)}"`);
  }
  for (const mark of document.querySelectorAll("svg :is(.l:not(.pale), .range, .claim, .largest)")) {
    if (mark.checkVisibility()) check(mark, getComputedStyle(mark).stroke, 3, mark.outerHTML);
  }
  return { faults, checked };
})();

/** Drawings as text that is readable on light and on dark pages, and to those who cannot see: pure. */

/** As many colours as lines in one chart; they tell apart on both grounds. */
export const COLOURS = [
  '#e8590c',
  '#9c36b5',
  '#2f9e44',
  '#74b816',
  '#1c7ed6',
  '#15aabf',
  '#868e96',
];

const STYLE = `
  svg { background: #fff; color-scheme: light dark }
  text { font: 13px system-ui, sans-serif; fill: #343a40 }
  .title { font-size: 16px; font-weight: 600 }
  .faint { fill: #868e96; font-size: 12px }
  .value { font-weight: 600 }
  .end { text-anchor: end }
  .middle { text-anchor: middle }
  .grid { stroke: #dee2e6; stroke-width: 1 }
  .theirs { fill: #e8590c }
  .ours { fill: #1c7ed6 }
  .foreign { fill: #2f9e44 }
  .dot { fill-opacity: 0.45 }
  .light { fill-opacity: 0.5 }
  .line { fill: none; stroke-width: 2.5; stroke-linejoin: round }
  @media (prefers-color-scheme: dark) {
    svg { background: #0d1117 }
    text { fill: #dee2e6 }
    .faint { fill: #909296 }
    .grid { stroke: #30363d }
  }`;

/** An element; its children are elements or text that was escaped. */
export function element(name, attributes, ...children) {
  const pairs = Object.entries(attributes).map(([key, value]) => {
    const said = typeof value === 'number' ? String(Number(value.toFixed(1))) : escaped(value);
    return ` ${key}="${said}"`;
  });
  const inside = children.join('');
  return inside === ''
    ? `<${name}${pairs.join('')}/>\n`
    : `<${name}${pairs.join('')}>${inside}</${name}>\n`;
}

export function text(x, y, what, kind = '') {
  return element('text', { x, y, ...(kind && { class: kind }) }, escaped(what));
}

export function line(x1, y1, x2, y2) {
  return element('line', { x1, y1, x2, y2, class: 'grid' });
}

/** A whole drawing. `description` is what it shows, for who cannot see it. */
export function drawing({ width, height, title, description }, ...children) {
  return element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: 'img',
      'aria-labelledby': 'title description',
    },
    '\n',
    element('title', { id: 'title' }, escaped(title)),
    element('desc', { id: 'description' }, escaped(description)),
    element('style', {}, STYLE),
    text(20, 30, title, 'title'),
    ...children,
  );
}

function escaped(value) {
  return value.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/"/g, '&quot;');
}

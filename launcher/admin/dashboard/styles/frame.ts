/** The style sheet of every page: colours in light and dark, the top bar, headings, controls. */
const css = String.raw;

export const FRAME = css`
  :root {
    color-scheme: light dark;
    --bg: #ffffff;
    --raised: #f6f7f9;
    --line: #dfe3e8;
    --text: #1b2027;
    --muted: #59636f;
    --link: #0a58ca;
    --good: #14733c;
    --busy: #0a58ca;
    --warn: #8a5200;
    --bad: #b3261e;
    --idle: #59636f;
    --wait: #8a94a0;
    --start: #3b7ddd;
    --hand: #8b5cf6;
    --join: #1f9d57;
    --track: #eceff3;
    --notice: #fff6e5;
    --mono:
      ui-monospace, 'SF Mono', 'Cascadia Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace;
  }
  @media (prefers-color-scheme: dark) {
    :root {
      --bg: #0f1318;
      --raised: #171c23;
      --line: #2a313a;
      --text: #e4e8ed;
      --muted: #9aa5b2;
      --link: #79b4ff;
      --good: #4fc988;
      --busy: #79b4ff;
      --warn: #e5ac4a;
      --bad: #ff8078;
      --idle: #9aa5b2;
      --wait: #76818e;
      --start: #4c8df0;
      --hand: #a583ff;
      --join: #37b870;
      --track: #222932;
      --notice: #2b2413;
    }
  }
  * {
    box-sizing: border-box;
  }
  html {
    scroll-padding-top: 56px;
    /* A page that gets longer than its window must not move sideways. */
    scrollbar-gutter: stable;
  }
  body {
    margin: 0;
    background: var(--bg);
    color: var(--text);
    font:
      13px/1.45 system-ui,
      -apple-system,
      'Segoe UI',
      Roboto,
      'Helvetica Neue',
      'Liberation Sans',
      sans-serif;
    font-variant-numeric: tabular-nums;
  }
  a {
    color: var(--link);
    text-decoration: none;
  }
  a:hover {
    text-decoration: underline;
  }
  :focus-visible {
    outline: 2px solid var(--link);
    outline-offset: 1px;
    border-radius: 2px;
  }
  main:focus {
    outline: none;
  }
  [hidden] {
    display: none !important;
  }
  .hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  .mono {
    font-family: var(--mono);
    font-size: 12px;
  }
  .muted {
    color: var(--muted);
  }
  .skip {
    position: absolute;
    left: -999px;
    padding: 8px 12px;
    background: var(--bg);
    z-index: 3;
  }
  .skip:focus {
    left: 8px;
    top: 8px;
  }

  .top {
    position: sticky;
    top: 0;
    z-index: 2;
    display: flex;
    align-items: center;
    gap: 4px 16px;
    padding: 8px 20px;
    min-height: 48px;
    background: var(--bg);
    border-bottom: 1px solid var(--line);
  }
  .brand {
    font-weight: 650;
    font-size: 14px;
    color: var(--text);
    white-space: nowrap;
  }
  .about {
    white-space: nowrap;
  }
  .top nav {
    display: flex;
    gap: 14px;
    flex: 1;
  }
  .top nav a {
    color: var(--muted);
  }
  .top nav a:hover {
    color: var(--text);
  }

  main {
    padding: 12px 20px 60px;
    max-width: 1640px;
    margin: 0 auto;
  }
  section {
    margin-top: 26px;
  }
  section > header {
    display: flex;
    align-items: baseline;
    gap: 8px;
    min-height: 28px;
  }
  h1 {
    font-size: 18px;
    margin: 12px 0 10px;
    overflow-wrap: anywhere;
  }
  h2 {
    font-size: 14px;
    margin: 0;
  }
  h3 {
    font-size: 12px;
    margin: 0 0 6px;
    overflow-wrap: anywhere;
  }
  .count {
    color: var(--muted);
  }
  .count::before {
    content: '· ';
  }
  .kind,
  [data-part='legend'] {
    margin-left: auto;
  }
`;

/** The style sheet's part for what is clicked and typed into: filter, buttons, numbers, the live line. */
const css = String.raw;

export const CONTROLS = css`
  .filter {
    position: relative;
  }
  .filter input {
    width: 230px;
    padding-right: 26px;
  }
  .filter kbd {
    position: absolute;
    right: 7px;
    top: 50%;
    translate: 0 -50%;
    padding: 0 5px;
    border: 1px solid var(--line);
    border-radius: 3px;
    font: 11px var(--mono);
    color: var(--muted);
    background: var(--raised);
  }
  .filter input:focus + kbd,
  .filter input:not(:placeholder-shown) + kbd {
    display: none;
  }
  input,
  select,
  button {
    font: inherit;
    color: inherit;
    background: var(--bg);
    border: 1px solid var(--line);
    border-radius: 4px;
    padding: 4px 8px;
  }
  input::placeholder {
    color: var(--muted);
    opacity: 1;
  }
  button {
    cursor: pointer;
  }
  button:hover {
    background: var(--raised);
  }
  button:disabled {
    color: var(--muted);
    cursor: default;
  }
  .line {
    min-width: 92px;
    text-align: right;
    color: var(--muted);
    white-space: nowrap;
  }
  .line::before {
    content: '○ ';
  }
  .line.live {
    color: var(--good);
  }
  .line.live::before {
    content: '● ';
  }
  .line.lost {
    color: var(--warn);
  }
  .line.lost::before {
    content: '▲ ';
  }
  .summary {
    display: flex;
    flex-wrap: wrap;
    gap: 8px;
    min-height: 36px;
  }
  .figure {
    display: inline-flex;
    align-items: baseline;
    gap: 5px;
    padding: 5px 12px;
    border: 1px solid var(--line);
    border-radius: 5px;
    background: var(--raised);
    color: var(--text);
  }
  .figure:hover {
    border-color: var(--muted);
    text-decoration: none;
  }
  .figure[aria-pressed='true'] {
    border-color: var(--link);
    box-shadow: inset 0 0 0 1px var(--link);
  }
  .figure b {
    font-size: 15px;
  }
`;

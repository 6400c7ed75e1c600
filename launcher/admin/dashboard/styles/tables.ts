/** The rest of the style sheet: tables and what stands in them, plots, a room's page, the dialog. */
const css = String.raw;

export const TABLES = css`
  table {
    width: 100%;
    border-collapse: collapse;
    /* Columns keep their widths whatever comes and goes in them. */
    table-layout: fixed;
  }
  th,
  td {
    padding: 5px 10px;
    text-align: left;
    font-weight: 400;
    border-bottom: 1px solid var(--line);
    vertical-align: baseline;
    overflow: hidden;
    overflow-wrap: anywhere;
  }
  thead th {
    color: var(--muted);
    font-size: 12px;
    white-space: nowrap;
  }
  tbody tr:hover {
    background: var(--raised);
  }
  .num {
    text-align: right;
    white-space: nowrap;
  }
  .c-room {
    width: 190px;
  }
  .c-room a,
  .cut {
    display: block;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .c-key {
    width: 190px;
  }
  .c-state {
    width: 116px;
    white-space: nowrap;
  }
  .c-few {
    width: 74px;
  }
  .c-profile {
    width: 110px;
  }
  .c-age {
    width: 88px;
  }
  .c-use {
    width: 86px;
  }
  .c-bar {
    width: 216px;
    white-space: nowrap;
  }
  .c-act {
    width: 72px;
    text-align: right;
  }
  .c-time {
    width: 90px;
  }
  .c-event {
    width: 150px;
  }
  .two-lines {
    display: -webkit-box;
    -webkit-box-orient: vertical;
    -webkit-line-clamp: 2;
    overflow: hidden;
  }
  .state .mark {
    display: inline-block;
    width: 14px;
    margin-right: 2px;
    font-size: 11px;
  }
  .good {
    color: var(--good);
  }
  .busy {
    color: var(--busy);
  }
  .warn,
  .flag,
  .trouble .c-event {
    color: var(--warn);
  }
  .bad {
    color: var(--bad);
  }
  .idle {
    color: var(--idle);
  }
  .flag {
    display: block;
    font-size: 12px;
  }
  .stop {
    padding: 0 8px;
    font-size: 12px;
  }
  .empty {
    padding: 14px 16px;
    border: 1px dashed var(--line);
    border-radius: 5px;
    color: var(--muted);
  }
  .empty p,
  .notice p {
    margin: 2px 0;
  }
  .empty b {
    color: var(--text);
  }
  code {
    font: 12px var(--mono);
    padding: 1px 4px;
    border-radius: 3px;
    background: var(--raised);
    color: var(--text);
  }
  .pages {
    display: flex;
    align-items: center;
    justify-content: flex-end;
    gap: 10px;
    padding-top: 8px;
    color: var(--muted);
  }
  .notice {
    margin: 0 0 12px;
    padding: 10px 14px;
    border: 1px solid var(--warn);
    border-radius: 5px;
    background: var(--notice);
  }

  .start-up svg {
    margin-right: 8px;
  }
  .start-up svg,
  .legend svg {
    vertical-align: -1px;
  }
  .track {
    fill: var(--track);
  }
  .step-wait {
    fill: var(--wait);
  }
  .step-start {
    fill: var(--start);
  }
  .step-hand {
    fill: var(--hand);
  }
  .step-join {
    fill: var(--join);
  }
  .legend {
    display: flex;
    flex-wrap: wrap;
    gap: 2px 14px;
    margin: 0;
    font-size: 12px;
    color: var(--muted);
  }
  .plots {
    display: grid;
    grid-template-columns: repeat(auto-fill, minmax(280px, 1fr));
    gap: 18px 28px;
    padding-top: 8px;
  }
  figure {
    margin: 0;
  }
  figcaption {
    font-size: 12px;
    padding-bottom: 6px;
  }
  figcaption b {
    display: block;
  }
  figure svg {
    display: block;
    width: 100%;
  }
  figure text {
    font-size: 9px;
    fill: var(--muted);
    text-anchor: middle;
  }
  figure .from {
    text-anchor: start;
  }
  figure .to {
    text-anchor: end;
  }
  .axis {
    stroke: var(--line);
  }
  .plot {
    fill: var(--start);
  }
  .plot-good {
    fill: var(--join);
  }
  .plot-bad {
    fill: var(--bad);
  }
  .plot-warn {
    fill: var(--warn);
  }
  .plot-idle {
    fill: var(--wait);
  }
`;

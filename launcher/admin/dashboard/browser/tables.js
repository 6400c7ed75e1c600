/**
 * The tables of a page: rows as the launcher sent them, those that the filter leaves, a page of them at
 * a time; and what counts on by itself in them, ages and what tasks use.
 *
 * Rows come as HTML that the launcher has escaped. Each is touched only when it has changed, so that
 * nothing flickers and the keyboard's focus stays where it is.
 */
const ROWS_SHOWN = 25;

export const $ = (selector, within = document) => within.querySelector(selector);
export const all = (selector, within = document) => [...within.querySelectorAll(selector)];

/** By name: rows by id, ids in order, the page that is shown. */
export const lists = new Map(
  all('[data-list]').map((table) => [
    table.dataset.list,
    { table, rows: new Map(), order: [], page: 0, narrow: [] },
  ]),
);
/** What each row in the page was made of. */
const madeOf = new WeakMap();
/** What all tables are shown by. `aheadMs`: how far the launcher's clock is ahead of this one. */
export const seen = { usage: {}, aheadMs: 0, words: [] };

function ageOf(ms) {
  const s = Math.max(0, Math.floor(ms / 1_000));
  const two = (big, bigName, small, smallName) =>
    `${Math.floor(s / big)}${bigName} ${Math.floor((s % big) / small)}${smallName}`;
  if (s < 60) return `${s}s`;
  if (s < 3_600) return two(60, 'm', 1, 's');
  return s < 86_400 ? two(3_600, 'h', 60, 'm') : two(86_400, 'd', 3_600, 'h');
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function tellTimes(within = document) {
  const nowMs = Date.now() + seen.aheadMs;
  for (const time of all('time.since', within)) {
    setText(time, ageOf(nowMs - Date.parse(time.dateTime)));
    time.title = time.dateTime;
  }
  for (const time of all('time.at', within)) {
    setText(time, new Date(time.dateTime).toTimeString().slice(0, 8));
    time.title = time.dateTime;
  }
}

export function tellUsage(within = document) {
  for (const cell of all('[data-cpu]', within))
    setText(cell, seen.usage[cell.dataset.cpu]?.[0] || '–');
  for (const cell of all('[data-memory]', within)) {
    setText(cell, seen.usage[cell.dataset.memory]?.[1] || '–');
  }
}

/** Runs `change`, and gives the focus back to what stands where the focused thing stood. */
export function keepingFocus(change) {
  const { activeElement: focused } = document;
  const row = focused?.closest('[data-row], [data-part]');
  const inRow = row?.dataset.row;
  const same = (element) =>
    element.dataset.stop === focused.dataset.stop &&
    element.dataset.filter === focused.dataset.filter &&
    element.getAttribute('href') === focused.getAttribute('href');
  change();
  if (!row || focused.isConnected) return;
  const home = inRow ? $(`[data-row="${CSS.escape(inRow)}"]`) : row;
  (home && all('a, button', home).find(same))?.focus({ preventScroll: true });
}

function elementOf(html) {
  const template = document.createElement('template');
  template.innerHTML = html;
  const element = template.content.firstElementChild;
  madeOf.set(element, html);
  tellTimes(element);
  tellUsage(element);
  return element;
}

export function show(name) {
  const list = lists.get(name);
  const wanted = [...seen.words, ...list.narrow];
  const found = list.order.filter((id) => {
    const { find } = list.rows.get(id);
    return wanted.every((word) => find.includes(word));
  });
  const pages = Math.max(Math.ceil(found.length / ROWS_SHOWN), 1);
  list.page = Math.min(Math.max(list.page, 0), pages - 1);
  const first = list.page * ROWS_SHOWN;
  const shown = found.slice(first, first + ROWS_SHOWN);
  keepingFocus(() => place(list, shown));

  const total = list.order.length;
  setText(
    $(`[data-count="${name}"]`),
    found.length < total ? `${found.length} of ${total}` : total,
  );
  list.table.hidden = total === 0;
  $(`[data-empty="${name}"]`).hidden = total > 0;
  const nav = $(`[data-pages="${name}"]`);
  nav.hidden = pages === 1;
  const last = first + shown.length;
  setText($('[data-page]', nav), `${first + 1} to ${last} of ${found.length}`);
  $('[data-turn="-1"]', nav).disabled = list.page === 0;
  $('[data-turn="1"]', nav).disabled = list.page === pages - 1;
}

/** Puts these rows into the table's body, in this order, and leaves alone what is as it was. */
function place({ table, rows }, ids) {
  const body = table.tBodies[0];
  const before = new Map([...body.rows].map((row) => [row.dataset.row, row]));
  const after = ids.map((id) => {
    const there = before.get(id);
    const { html } = rows.get(id);
    return there && madeOf.get(there) === html ? there : elementOf(html);
  });
  const kept = new Set(after);
  for (const row of before.values()) if (!kept.has(row)) row.remove();
  for (const [i, row] of after.entries()) {
    if (body.rows[i] !== row) body.insertBefore(row, body.rows[i] ?? null);
  }
}

/**
 * The dashboard in the browser: takes in what the live line sends, hands the filter to the tables, and
 * asks before it stops something.
 */
import { followLog, stopLog } from './log.js';
import {
  $,
  all,
  keepingFocus,
  lists,
  seen,
  setText,
  show,
  tellTimes,
  tellUsage,
} from './tables.js';

/** A line that was refused, not cut: the browser does not come back by itself. */
const REFUSED_AGAIN_MS = 5_000;
const TOAST_MS = 6_000;

const parts = new Map();
let source = null;

function take({ lists: patches = {}, parts: places = {}, usage: used, nowMs, version }, whole) {
  if (version !== document.body.dataset.version) return location.reload();
  seen.aheadMs = nowMs - Date.now();
  if (used) seen.usage = used;
  for (const [name, { order, rows }] of Object.entries(patches)) {
    const list = lists.get(name);
    for (const [id, html, find] of rows) list.rows.set(id, { html, find });
    if (order) {
      list.order = order;
      const there = new Set(order);
      for (const id of list.rows.keys()) if (!there.has(id)) list.rows.delete(id);
    }
  }
  // A list that is empty is not sent where the whole is.
  if (whole) {
    for (const [name, list] of lists) if (!(name in patches)) list.order = [];
  }
  for (const [name, html] of Object.entries(places)) {
    const place = $(`[data-part="${name}"]`);
    if (!place || parts.get(name) === html) continue;
    parts.set(name, html);
    keepingFocus(() => (place.innerHTML = html));
    tellTimes(place);
    tellUsage(place);
    markFilter();
    if (name === 'log') followLog();
  }
  for (const name of whole ? lists.keys() : Object.keys(patches)) show(name);
  if (used) tellUsage();
  document.body.dataset.seen = String(Number(document.body.dataset.seen ?? 0) + 1);
}

function say(state, text) {
  const line = $('[data-line]');
  line.className = `line ${state}`;
  setText(line, text);
}

function connect() {
  source?.close();
  source = new EventSource(document.body.dataset.live);
  for (const kind of ['whole', 'patch']) {
    source.addEventListener(kind, ({ data }) => take(JSON.parse(data), kind === 'whole'));
  }
  source.addEventListener('open', () => {
    say('live', 'live');
    // Whatever was followed before has been cut off as well; the whole, which comes next, has it anew.
    parts.delete('log');
  });
  source.addEventListener('error', ({ target }) => {
    say('lost', 'reconnecting');
    if (target.readyState !== EventSource.CLOSED) return;
    setTimeout(() => target === source && connect(), REFUSED_AGAIN_MS);
  });
}

/** A browser has few lines to one place: pages that nobody sees give theirs back. */
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) return connect();
  pause();
});

function pause() {
  source?.close();
  source = null;
  stopLog();
  say('', 'paused');
}

const filter = $('#filter');

/** All of these words have to stand in a row. */
function wordsOf(text) {
  return text.toLowerCase().split(/\s+/).filter(Boolean);
}

function setFilter(text) {
  if (filter.value !== text) filter.value = text;
  seen.words = wordsOf(text);
  const url = new URL(location.href);
  if (text) url.searchParams.set('q', text);
  else url.searchParams.delete('q');
  history.replaceState(null, '', url);
  markFilter();
  for (const [name, list] of lists) {
    list.page = 0;
    show(name);
  }
}

function markFilter() {
  for (const button of all('[data-filter]')) {
    button.setAttribute(
      'aria-pressed',
      String(filter.value !== '' && button.dataset.filter === filter.value),
    );
  }
}

function toast(text) {
  const place = $('[data-toast]');
  setText(place, text);
  place.hidden = false;
  setTimeout(() => (place.hidden = place.textContent === text), TOAST_MS);
}

async function stop(button) {
  const { stop: path, then } = button.dataset;
  const ask = $('#ask');
  setText($('#ask-what'), `${button.getAttribute('aria-label')}?`);
  setText($('#ask-then'), then);
  ask.returnValue = '';
  ask.showModal();
  await new Promise((closed) => ask.addEventListener('close', closed, { once: true }));
  if (ask.returnValue !== 'yes') return;
  try {
    const answer = await fetch(path, { method: 'POST' });
    toast(answer.ok ? 'It is being stopped.' : `Not stopped: ${(await answer.json()).error}.`);
  } catch {
    toast('Not stopped: the launcher does not answer.');
  }
}

document.addEventListener('click', ({ target }) => {
  const button = target.closest('button');
  if (!button) return;
  if ('stop' in button.dataset) void stop(button);
  else if ('filter' in button.dataset) setFilter(button.dataset.filter);
  else if ('turn' in button.dataset) {
    const name = button.closest('[data-pages]').dataset.pages;
    lists.get(name).page += Number(button.dataset.turn);
    show(name);
  }
});
for (const select of all('[data-narrow]')) {
  const list = lists.get(select.dataset.narrow);
  select.addEventListener('change', () => {
    Object.assign(list, { narrow: [select.value].filter(Boolean), page: 0 });
    show(select.dataset.narrow);
  });
}
filter.addEventListener('input', () => setFilter(filter.value));
document.addEventListener('keydown', (event) => {
  const typing = event.target.closest('input, select, textarea, dialog');
  if (event.key === '/' && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    filter.focus();
  } else if (event.key === 'Escape' && event.target === filter) setFilter('');
});

tellTimes();
tellUsage();
setInterval(tellTimes, 1_000);
filter.value = new URL(location.href).searchParams.get('q') ?? '';
seen.words = wordsOf(filter.value);
markFilter();
if (document.hidden) pause();
else connect();

/** What a room's newest task prints, as it prints it, on the room's page. */
import { $, setText } from './tables.js';

/** What is kept of it; the older part goes. */
const KEPT_MAX = 200_000;
const TAIL = 200;

let following = null;

/** Follows the log that the page names, from its last lines on; ends what was followed before. */
export function followLog() {
  stopLog();
  const place = $('[data-log]');
  if (place) void follow(place, (following = new AbortController()).signal);
}

export function stopLog() {
  following?.abort();
}

async function follow(place, signal) {
  const path = `/api/tasks/${encodeURIComponent(place.dataset.log)}/logs?tail=${TAIL}&follow=true`;
  try {
    const answer = await fetch(path, { signal });
    if (!answer.ok) return setText(place, (await answer.json()).error);
    setText(place, '');
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      append(place, read.value);
    }
    if (place.textContent === '') setText(place, 'It has printed nothing.');
  } catch {
    // Left, or the launcher went away: the page comes back to it.
  }
}

/** Stays at the end, unless somebody reads further up. */
function append(place, text) {
  const atEnd = place.scrollHeight - place.scrollTop - place.clientHeight < 30;
  place.append(text);
  if (place.textContent.length > KEPT_MAX) {
    place.textContent = place.textContent.slice(-KEPT_MAX / 2);
  }
  if (atEnd) place.scrollTop = place.scrollHeight;
}

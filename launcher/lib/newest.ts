/** Maps that are bounded by forgetting what was put in longest ago. */

/** Puts a value in, as the newest, and forgets the oldest beyond `max`. Returns the value. */
export function putNewest<K, V>(map: Map<K, V>, key: K, value: V, max: number): V {
  map.delete(key);
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= max) break;
    map.delete(oldest);
  }
  return value;
}

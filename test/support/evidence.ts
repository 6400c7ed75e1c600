/** Everything of a task that an outsider can read, for tests that look for secrets in it. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Text by where it was found. */
export type Evidence = ReadonlyMap<string, string>;

/** A process that has ended meanwhile shows nothing. */
async function proc(pid: string, file: string): Promise<string> {
  return readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
}

async function allPids(): Promise<string[]> {
  return (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
}

/** Command lines of every process of this machine. */
export async function commandLines(): Promise<Evidence> {
  const pids = await allPids();
  const lines = await Promise.all(pids.map((pid) => proc(pid, 'cmdline')));
  return new Map(pids.map((pid, i) => [`command line of ${pid}`, lines[i] ?? '']));
}

/** Environments of all processes in the process group that `leader` leads, and of its parent. */
export async function environments(leader: number): Promise<Evidence> {
  const found = new Map<string, string>();
  let parent = '';
  const members: string[] = [];
  for (const pid of await allPids()) {
    // After the program's name, which may hold anything: state, parent, process group.
    const [, ppid, pgrp] = (await proc(pid, 'stat')).split(') ').at(-1)?.split(' ') ?? [];
    if (pgrp !== String(leader)) continue;
    members.push(pid);
    if (pid === String(leader)) parent = ppid ?? '';
  }
  for (const pid of [...members, parent]) {
    found.set(`environment of ${pid}`, await proc(pid, 'environ'));
  }
  return found;
}

/** Every file below a folder, and the names of all of them. */
export async function files(folder: string): Promise<Evidence> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.map((entry) => join(entry.parentPath, entry.name));
  const found = new Map([[`names in ${folder}`, paths.join('\n')]]);
  for (const [i, path] of paths.entries()) {
    if (entries[i]?.isFile()) found.set(path, await readFile(path, 'utf8'));
  }
  return found;
}

/** Where one of these texts, or a signed token, stands. */
export function leaks(evidence: Evidence, secrets: readonly string[]): string[] {
  return [...evidence].flatMap(([where, text]) => {
    const told = secrets.filter((secret) => text.includes(secret)).map((_, i) => `secret ${i}`);
    const token = /eyJ[\w-]{8,}\.[\w-]+\.[\w-]+/.test(text) ? ['a signed token'] : [];
    return [...told, ...token].map((what) => `${what} in ${where}`);
  });
}

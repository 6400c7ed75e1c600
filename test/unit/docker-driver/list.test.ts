/** Which containers a list looks at. */
import { expect, it } from 'vitest';
import type { Row } from '../../../launcher/drivers/docker/calls.ts';
import type { Inspection } from '../../../launcher/drivers/docker/convert.ts';
import { LABELS } from '../../../launcher/drivers/docker/labels.ts';
import { Lister } from '../../../launcher/drivers/docker/list.ts';

const calm = () => new AbortController().signal;
const NEVER = '0001-01-01T00:00:00Z';

/** An engine whose containers a test sets; `looks` are the ids that were looked at. */
function fakeEngine() {
  const containers = new Map<string, { state: string; code: number; name: string }>();
  const looks: string[] = [];
  const engine = {
    rows: async (): Promise<readonly Row[]> =>
      [...containers].map(([id, { state, code, name }]) => {
        const status = state === 'exited' ? `Exited (${code}) 2 minutes ago` : 'Up 2 minutes';
        return { id, names: [name], state, status };
      }),
    inspect: async (id: string): Promise<Inspection | null> => {
      looks.push(id);
      const found = containers.get(id);
      return found ? inspectionOf(id, found) : null;
    },
  };
  const set = (id: string, state: string, code = 0, name = `/us.r-RM_${id}-1`) =>
    containers.set(id, { state, code, name });
  return { engine, containers, looks, set };
}

function inspectionOf(
  id: string,
  { state, code, name }: { state: string; code: number; name: string },
): Inspection {
  const Labels = { [LABELS.deployment]: 'us', [LABELS.key]: `r-RM_${id}-1` };
  const times = { StartedAt: '2026-01-01T00:00:00Z', FinishedAt: NEVER };
  return {
    Id: id,
    Name: name,
    Created: '2026-01-01T00:00:00Z',
    Config: { Image: 'agent', Labels },
    State: { Status: state, ExitCode: code, OOMKilled: false, Error: '', ...times },
  };
}

it('looks at those that live each time, and once at one that has ended', async () => {
  const { engine, containers, looks, set } = fakeEngine();
  const lister = new Lister('us', () => false);
  const listed = async () => {
    looks.length = 0;
    const tasks = await lister.list(engine, calm());
    return tasks.map(({ taskId, phase, exit }) => `${taskId} ${phase} ${exit?.code ?? ''}`.trim());
  };
  set('a', 'running');
  set('b', 'exited', 75);
  set('c', 'created');
  expect(await listed()).toEqual(['a running', 'b ended 75', 'c starting']);
  expect(looks).toEqual(['a', 'b', 'c']);
  expect(await listed()).toEqual(['a running', 'b ended 75', 'c starting']);
  expect(looks).toEqual(['a', 'c']);
  set('b', 'exited', 0); // It was started again by somebody.
  expect(await listed()).toEqual(['a running', 'b ended 0', 'c starting']);
  expect(looks).toEqual(['a', 'b', 'c']);
  containers.delete('b');
  expect(await listed()).toEqual(['a running', 'c starting']);
  set('b', 'exited', 0);
  await listed();
  expect(looks).toEqual(['a', 'c', 'b']);
});

it('sees the end of one that the engine lists as running still', async () => {
  const { engine, set } = fakeEngine();
  const lister = new Lister('us', () => false);
  set('a', 'running');
  const rows = await engine.rows();
  const behind = { ...engine, rows: async () => rows };
  expect(await lister.list(behind, calm())).toMatchObject([{ phase: 'running' }]);
  set('a', 'exited', 0);
  expect(await lister.list(behind, calm())).toMatchObject([{ phase: 'ended' }]);
});

it('keeps nothing of a container that changed between the list and the look', async () => {
  const { engine, looks, set } = fakeEngine();
  const lister = new Lister('us', () => false);
  set('a', 'running');
  const rows = await engine.rows();
  set('a', 'exited', 1);
  const late = { ...engine, rows: async () => rows };
  expect(await lister.list(late, calm())).toMatchObject([{ phase: 'ended' }]);
  await lister.list(late, calm());
  expect(looks).toEqual(['a', 'a']);
});

it('shows a stop that is under way, and the name that it has now', async () => {
  const { engine, set } = fakeEngine();
  let stopping = false;
  const lister = new Lister('us', () => stopping);
  set('a', 'running');
  expect(await lister.list(engine, calm())).toMatchObject([{ key: 'r-RM_a-1', phase: 'running' }]);
  stopping = true;
  expect(await lister.list(engine, calm())).toMatchObject([{ phase: 'stopping' }]);
  set('a', 'running', 0, '/renamed');
  expect(await lister.list(engine, calm())).toMatchObject([{ key: null }]);
});

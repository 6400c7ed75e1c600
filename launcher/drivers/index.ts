/** Opens the driver that was chosen; only that one's library is loaded. */
import type { Driver } from '../driver.ts';
import type { DockerDriverOptions } from './docker/driver.ts';
import type { ProcessDriverOptions } from './process/driver.ts';

export type DriverChoice =
  | ({ readonly driver: 'docker' } & DockerDriverOptions)
  | ({ readonly driver: 'process' } & ProcessDriverOptions);

/** Rejects with `DriverError` `invalid` for options that cannot be (an engine address). */
export async function openDriver(choice: DriverChoice): Promise<Driver> {
  if (choice.driver === 'docker') {
    const { dockerDriver } = await import('./docker/driver.ts');
    return dockerDriver(choice);
  }
  const { NO_ISOLATION_NOTICE, processDriver } = await import('./process/driver.ts');
  choice.log?.warn(NO_ISOLATION_NOTICE);
  return processDriver(choice);
}

/** Opens the driver that was chosen; only that one's library is loaded. */
import type { Driver } from '../driver.ts';
import type { DockerDriverOptions } from './docker/driver.ts';
import type { EcsDriverOptions } from './ecs/driver.ts';
import type { ProcessDriverOptions } from './process/driver.ts';

export type DriverChoice =
  | ({ readonly driver: 'docker' } & DockerDriverOptions)
  | ({ readonly driver: 'ecs' } & EcsDriverOptions)
  | ({ readonly driver: 'process' } & ProcessDriverOptions);

/** Rejects with `DriverError` `invalid` for what cannot be (an engine's address, no region). */
export async function openDriver(choice: DriverChoice): Promise<Driver> {
  if (choice.driver === 'docker') {
    const { dockerDriver } = await import('./docker/driver.ts');
    return dockerDriver(choice);
  }
  if (choice.driver === 'ecs') {
    const { ecsDriver } = await import('./ecs/driver.ts');
    return ecsDriver(choice);
  }
  const { NO_ISOLATION_NOTICE, processDriver } = await import('./process/driver.ts');
  choice.log?.warn(NO_ISOLATION_NOTICE);
  return processDriver(choice);
}

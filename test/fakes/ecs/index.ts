/**
 * Amazon ECS, faked in this process: a service that fights back.
 *
 * It does what emulators do not (client tokens, lag, throttling, want of capacity, broken answers)
 * and polices its caller: a broken limit is answered as documented and noted in `violations`. Tests
 * move its clock, script its faults and end its tasks. Two ways lead to it, both for the unmodified
 * SDK: `serve` (a port) and `inProcessHandler` (no sockets).
 */
export type { AccountOptions } from './account.ts';
export { AWS_RATES, type Rates } from './buckets.ts';
export { NO_FARGATE_CAPACITY, VCPU_QUOTA } from './capacity.ts';
export * from './errors.ts';
export { type Call, CREDENTIALS, FakeEcs } from './fake.ts';
export { type Fault, type Faulty, failing, throttled } from './faults.ts';
export { taskEvent } from './events.ts';
export { inProcessHandler } from './in-process.ts';
export { FARGATE_TIMINGS, type SigtermAnswer, type Timings } from './lifecycle.ts';
export type { FakeQueue } from './queue.ts';
export { type EcsServer, serve } from './server.ts';
export type { FakeTask } from './task.ts';

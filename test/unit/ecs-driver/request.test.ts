/** What is asked of ECS for a launch, and where its task is put. */
import { expect, it, test } from 'vitest';
import type { TaskKey } from '../../../launcher/driver.ts';
import { choiceOf, type Network } from '../../../launcher/drivers/ecs/placement.ts';
import { runTaskInput } from '../../../launcher/drivers/ecs/request.ts';
import { ecsRequest, NETWORK } from '../../support/ecs-bed.ts';

const PLACE = { deployment: 'prod', cluster: 'rooms', network: NETWORK };
const SPOT_FIRST: Network = { ...NETWORK, capacityProviders: ['FARGATE_SPOT', 'FARGATE'] };

it('asks for one task that is named, sized and placed by its request', () => {
  const request = { ...ecsRequest('r-RM_a_b-2'), cpu: 0.5, memoryMiB: 1024, profile: 'gold' };
  expect(runTaskInput(PLACE, request)).toEqual({
    cluster: 'rooms',
    taskDefinition: 'agent:1',
    count: 1,
    clientToken: 'prod.r-RM_a_b-2',
    startedBy: 'prod/r-RM_a_b-2',
    launchType: 'FARGATE',
    networkConfiguration: {
      awsvpcConfiguration: {
        subnets: ['subnet-b'],
        securityGroups: ['sg-1'],
        assignPublicIp: 'ENABLED',
      },
    },
    overrides: {
      cpu: '512',
      memory: '1024',
      containerOverrides: [{ name: 'agent', environment: [{ name: 'A', value: 'a' }] }],
    },
    enableECSManagedTags: true,
    tags: [
      { key: 'room-launcher.deployment', value: 'prod' },
      { key: 'room-launcher.key', value: 'r-RM_a_b-2' },
      { key: 'room-launcher.profile', value: 'gold' },
      { key: 'room-launcher.room', value: 'RM_a_b' },
      { key: 'room-launcher.attempt', value: '2' },
    ],
  });
});

it('is the same to the byte for one key', () => {
  const texts = [1, 2].map(() => JSON.stringify(runTaskInput(PLACE, ecsRequest('r-RM_a-1'))));
  expect(texts[0]).toBe(texts[1]);
});

it("takes the VPC's default group and no public address where nothing else is said", () => {
  const network = { ...NETWORK, securityGroups: [], assignPublicIp: false };
  const { networkConfiguration } = runTaskInput({ ...PLACE, network }, ecsRequest('r-RM_a-1'));
  expect(networkConfiguration).toEqual({
    awsvpcConfiguration: { subnets: ['subnet-a'], assignPublicIp: 'DISABLED' },
  });
});

it('names a capacity provider instead of the launch type, never both', () => {
  const input = runTaskInput({ ...PLACE, network: SPOT_FIRST }, ecsRequest('r-RM_a-3'));
  expect(input.capacityProviderStrategy).toEqual([{ capacityProvider: 'FARGATE', weight: 1 }]);
  expect(input).not.toHaveProperty('launchType');
});

it('keeps the longest names within what ECS takes', () => {
  const key = `r-RM_${'x'.repeat(27)}-999999`;
  const place = { ...PLACE, deployment: 'd'.repeat(24) };
  const { clientToken = '', startedBy } = runTaskInput(place, ecsRequest(key));
  expect(clientToken).toMatch(/^[!-~]{64}$/);
  expect(startedBy).toMatch(/^[A-Za-z0-9/_-]{1,128}$/);
});

test.each<[string, Network, string, string | null]>([
  ['r-RM_a-1', NETWORK, 'subnet-a', null],
  ['r-RM_a-2', NETWORK, 'subnet-b', null],
  ['r-RM_a-3', NETWORK, 'subnet-a', null],
  ['r-RM_a-1', SPOT_FIRST, 'subnet-a', 'FARGATE_SPOT'],
  ['r-RM_a-2', SPOT_FIRST, 'subnet-b', 'FARGATE_SPOT'],
  ['r-RM_a-3', SPOT_FIRST, 'subnet-a', 'FARGATE'],
  ['r-RM_a-4', SPOT_FIRST, 'subnet-b', 'FARGATE'],
  ['r-RM_a-5', SPOT_FIRST, 'subnet-a', 'FARGATE_SPOT'],
  // A standby's number is random.
  ['s-gold-0-00000002', SPOT_FIRST, 'subnet-b', 'FARGATE_SPOT'],
  ['s-gold-0-00000000', SPOT_FIRST, 'subnet-b', 'FARGATE'],
])('%s goes to %o', (key, network, subnet, capacityProvider) => {
  expect(choiceOf(key as TaskKey, network)).toEqual({ subnet, capacityProvider });
});

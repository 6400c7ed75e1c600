import { afterAll } from 'vitest';
import { testImage } from '../support/docker-engine.ts';
import { ecsEmulatorHarness } from '../support/ecs-emulator-harness.ts';
import { describeWith } from '../support/left-out.ts';
import { ministack } from '../support/ministack.ts';
import { contract } from './driver.contract.ts';

describeWith('docker', 'ministack')('on an emulator of ECS', async () => {
  const image = testImage();
  afterAll(() => image.remove());
  const emulator = ministack();
  await contract('ecs on containers', () => ecsEmulatorHarness(emulator, image));
});

import { afterAll } from 'vitest';
import { testImage } from '../support/docker-engine.ts';
import { dockerHarness } from '../support/docker-harness.ts';
import { describeWith } from '../support/left-out.ts';
import { contract } from './driver.contract.ts';

describeWith('docker')('on a real engine', async () => {
  const image = testImage();
  afterAll(() => image.remove());
  await contract('docker', () => dockerHarness(image));
});

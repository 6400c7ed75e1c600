/**
 * Pages of a listing. `nextToken` holds the place after which the next page goes on; each page looks
 * afresh, so that a task may slip through between two of them, as at the service.
 */
import type { ListTasksRequest } from '@aws-sdk/client-ecs';
import { EcsError } from './errors.ts';

const PAGE_DEFAULT = 100;

export interface Page {
  readonly taskArns: string[];
  readonly nextToken?: string;
}

export function pageOf(
  arns: readonly string[],
  { maxResults = PAGE_DEFAULT, nextToken }: Pick<ListTasksRequest, 'maxResults' | 'nextToken'>,
): Page {
  const after = nextToken === undefined ? '' : decode(nextToken);
  const left = arns.filter((arn) => arn > after).toSorted();
  const taskArns = left.slice(0, maxResults);
  return left.length > maxResults
    ? { taskArns, nextToken: encode(taskArns.at(-1)!) }
    : { taskArns };
}

function encode(arn: string): string {
  return Buffer.from(arn).toString('base64url');
}

function decode(nextToken: string): string {
  const arn = Buffer.from(nextToken, 'base64url').toString();
  if (!arn.startsWith('arn:')) throw new EcsError('InvalidParameterException', 'Invalid token.');
  return arn;
}

/**
 * What the service answers instead of a result: its error types, HTTP statuses and words.
 *
 * Types and statuses are those of the API reference ("Common Errors" and each action's "Errors").
 * Words are as callers have reported them; nobody may tell errors apart by them.
 */
export class EcsError extends Error {
  override readonly name = 'EcsError';
  /** The `__type` of the body. */
  readonly type: string;
  readonly status: number;
  /** Further members of the body, such as `resourceIds`. */
  readonly members: Readonly<Record<string, unknown>>;

  constructor(type: string, message: string, status = 400, members: Record<string, unknown> = {}) {
    super(message);
    this.type = type;
    this.status = status;
    this.members = members;
  }
}

/** A parameter that the API reference does not allow: the caller's own bug. */
export class ParameterError extends EcsError {
  constructor(message: string, type = 'InvalidParameterException') {
    super(type, message);
  }
}

export const clusterNotFound = () => new EcsError('ClusterNotFoundException', 'Cluster not found.');

export const taskNotFound = () =>
  new EcsError('InvalidParameterException', 'The referenced task was not found.');

export const taskDefinitionNotFound = () =>
  new EcsError('ClientException', 'TaskDefinition not found.');

export const rateExceeded = () => new EcsError('ThrottlingException', 'Rate exceeded');

/**
 * With managed scaling a cluster takes 500 tasks in PROVISIONING; then RunTask throws instead of
 * answering `failures[]` (https://github.com/aws/aws-sdk-ruby/issues/3047). A test scripts it.
 */
export const provisioningLimitExceeded = () =>
  new EcsError('ClientException', 'Tasks provisioning capacity limit exceeded.');

export const tokenConflict = (taskArns: readonly string[]) =>
  new EcsError(
    'ConflictException',
    'The provided clientToken is already in use with a different RunTask request.',
    400,
    { resourceIds: taskArns },
  );

export const accessDenied = (principal: string, action: string, resource: string) =>
  new EcsError(
    'AccessDeniedException',
    `User: ${principal} is not authorized to perform: ${action} on resource: ${resource} ` +
      `because no identity-based policy allows the ${action} action`,
  );

export const serverError = () =>
  new EcsError('ServerException', 'Service Unavailable. Please try again later.', 500);

export const unknownAccessKey = () =>
  new EcsError(
    'UnrecognizedClientException',
    'The security token included in the request is invalid.',
  );

export const expiredCredentials = () =>
  new EcsError('ExpiredTokenException', 'The security token included in the request is expired');

export const queueNotFound = () =>
  new EcsError('QueueDoesNotExist', 'The specified queue does not exist.');

export const wrongRegion = () =>
  new EcsError('InvalidSignatureException', 'Credential should be scoped to a valid region.');

export const missingCredentials = () =>
  new EcsError('MissingAuthenticationTokenException', 'Missing Authentication Token');

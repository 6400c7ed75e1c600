/** What each setting and each key of a profile is for. One without a description does not compile. */
import type { GivenProfile } from './profile-fields.ts';
import type { SETTINGS } from './settings.ts';

export interface Description {
  /** What it is for; Markdown, in one line. */
  readonly about: string;
  /** In words, where the default is no fixed value. */
  readonly unset?: string;
}

export type SettingKey = keyof typeof SETTINGS;

/** Nothing starts without it. */
export const REQUIRED = 'required';

export const SETTING_DESCRIPTIONS: Readonly<Record<SettingKey, Description>> = {
  livekitUrl: { unset: REQUIRED, about: 'the LiveKit server whose rooms are served' },
  livekitApiKey: { unset: REQUIRED, about: 'its API key; webhooks signed with it are believed' },
  livekitApiSecret: { unset: REQUIRED, about: 'the secret of that key; no task ever sees it' },
  taskLivekitUrl: {
    unset: '`LIVEKIT_URL`',
    about:
      'the server as tasks reach it; on a Docker bridge, loopback becomes `host.docker.internal`; on ECS it is needed where `LIVEKIT_URL` is loopback',
  },
  webhookKeys: { about: 'further `key:secret` pairs, comma separated, that may sign webhooks' },
  gatewaySecret: {
    unset: 'derived from the API secret',
    about: "comma list: the first makes tasks' credentials, all verify them",
  },
  driver: {
    about: 'the engine that tasks run on; `process` isolates nothing, and is for a look around',
  },
  agentImage: { unset: 'required (docker)', about: 'the image that tasks run' },
  dockerNetwork: {
    unset: 'a network of its own',
    about:
      '`host`, or the name of a network; its own is a bridge without traffic between containers (docker)',
  },
  ecsCluster: {
    unset: 'required (ecs)',
    about: "name or ARN; best a cluster of the launcher's own, for all of its tasks are listed",
  },
  ecsTaskDefinition: {
    unset: 'required (ecs)',
    about: 'what tasks run, in its container `agent`: `family:revision`, or its ARN',
  },
  ecsRunner: {
    about: '`true`: the task definition runs our runner, whose exit codes can be read (ecs)',
  },
  ecsSubnets: {
    unset: 'required (ecs)',
    about: 'comma list, in order of preference: the next one where the first has no capacity',
  },
  ecsSecurityGroups: { unset: "the VPC's default", about: 'comma list (ecs)' },
  ecsAssignPublicIp: {
    about: '`true`: in a public subnet, tasks reach nothing without one (ecs)',
  },
  ecsCapacityProviders: {
    unset: 'Fargate',
    about:
      'comma list, in order of preference, for example `FARGATE_SPOT,FARGATE`; the cluster must have them (ecs)',
  },
  ecsEventsQueueUrl: {
    about: "SQS queue of the cluster's task state changes: ends are seen sooner (ecs)",
  },
  agentFile: { unset: 'the example agent', about: 'the agent that tasks run (process)' },
  agentEnvFile: {
    about:
      "variables for the agent (its `OPENAI_API_KEY` …), dotenv format; never logged, but visible in `docker inspect`. `LIVEKIT_URL`, `_API_KEY`, `_API_SECRET` in it are dropped (docker, process; on ECS, the task definition's `secrets`)",
  },
  deployment: {
    about: "owner of a set of tasks; launchers never touch another deployment's",
  },
  webhookListen: { about: '`POST /webhook`, `GET /healthz`' },
  gatewayListen: { about: 'where tasks dial in; let nobody else reach it' },
  gatewayUrl: { unset: 'worked out; required (ecs)', about: 'the gateway as tasks reach it' },
  adminListen: {
    about: 'the dashboard, `/metrics`, `/api/…`, health and readiness; it has no password',
  },
  cpu: { unset: '`1`', about: 'cores of a task; on Fargate one of its sizes' },
  memoryMiB: {
    unset: '`1024`; on ECS `2048`',
    about: 'memory of a task; on Fargate one of its sizes',
  },
  standby: { about: 'how many tasks of the profile `default` wait for rooms: its warm pool' },
  retries: { about: 'launches after the first, per room' },
  startDeadlineSeconds: { about: 'accepted but not running by then: stopped, counts as failed' },
  joinDeadlineSeconds: {
    about: 'running but never in the room by then: stopped, counts as failed',
  },
  shutdownTimeoutSeconds: { about: 'SIGTERM to SIGKILL; on ECS the task definition says it' },
  maxLifetimeSeconds: { about: 'of a task' },
  resyncSeconds: { about: 'a full look at everything, this often, without any webhook' },
  logLevel: { about: 'lines below it are not written' },
};

export type ProfileKey = keyof GivenProfile;

/** What a room's task is held to, if its profile does not say otherwise. */
const AS_SETTING = 'as the setting';

export const PROFILE_DESCRIPTIONS: Readonly<Record<ProfileKey, Description>> = {
  name: { unset: REQUIRED, about: '1 to 24 of a-z, 0-9 and -' },
  match: {
    unset: 'every room',
    about:
      "`room`: a glob over its name; `metadata`: keys of the room's metadata with text, number, true, false or null. All must hold",
  },
  launch: { unset: '`true`', about: '`false`: nothing is launched' },
  image: { unset: 'required (docker)', about: 'the image that tasks run' },
  agentFile: { unset: 'required (process)', about: 'the agent that tasks run' },
  taskDefinition: { unset: 'required (ecs)', about: 'what tasks run, `family:revision`' },
  runner: {
    unset: '`false`',
    about: '`true`: the task definition runs our runner, whose exit codes can be read (ecs)',
  },
  cpu: { unset: AS_SETTING, about: 'cores; on Fargate one of its sizes' },
  memoryMiB: { unset: AS_SETTING, about: 'memory; on Fargate one of its sizes' },
  env: {
    about:
      "variables for the agent, for everyone to see: `docker inspect`, this file. They win over `envFile`; `LAUNCHER_…` and the task's credentials are refused",
  },
  envFile: {
    about:
      'like `LAUNCHER_AGENT_ENV_FILE`, which is for the profile `default` alone (docker, process)',
  },
  agentName: {
    unset: "the agent's own",
    about:
      "the agent's name (`LIVEKIT_AGENT_NAME_OVERRIDE`): a room's explicit dispatch of that name gives the job its metadata",
  },
  standby: { unset: '`0`', about: 'how many of its tasks wait for rooms, up to 100' },
  retries: { unset: AS_SETTING, about: SETTING_DESCRIPTIONS.retries.about },
  startDeadlineSeconds: {
    unset: AS_SETTING,
    about: SETTING_DESCRIPTIONS.startDeadlineSeconds.about,
  },
  joinDeadlineSeconds: {
    unset: AS_SETTING,
    about: SETTING_DESCRIPTIONS.joinDeadlineSeconds.about,
  },
  maxLifetimeSeconds: { unset: AS_SETTING, about: SETTING_DESCRIPTIONS.maxLifetimeSeconds.about },
  shutdownTimeoutSeconds: {
    unset: AS_SETTING,
    about: SETTING_DESCRIPTIONS.shutdownTimeoutSeconds.about,
  },
  restart: { unset: '`on-failure`', about: '`never`: the same as `retries: 0`' },
  user: { unset: "the image's", about: '`name`, `uid` or `uid:gid` (docker)' },
  readOnly: { unset: '`true`', about: 'is the root file system read-only? (docker)' },
  tmpfs: {
    about:
      'memory file systems beside `/tmp`: path and mount options, `/cache: size=256m` (docker)',
  },
  runtime: { unset: "the engine's", about: 'OCI runtime, for example `runsc` (docker)' },
};

/**
 * What `build` adds to the runner's Dockerfile: the agent's dependencies in a stage of their own,
 * which is built again only when package.json or the lock file changes, then the agent's files, and
 * the bundle of both with the runner.
 */
import { posix } from 'node:path';

/** Where the agent's package is in the image, which is also its working directory. */
export const AGENT_FOLDER = '/app/agent';

/** Of the image's entry point: compiled code is for its flags. */
export const NODE_FLAG = '--min-semi-space-size=2';
const MAKE_BUNDLE = '/app/dist/agent-image/bundle/make.js';
/** Where that finds esbuild, which is in no image. */
const ESBUILD = '/app/dist/node_modules';

/** Folders of the build's context. */
export const CONTEXT = {
  manifest: 'agent/manifest',
  files: 'agent/files',
  entry: 'agent/entry',
} as const;

/** The runner is there compiled, and the agent brings agents-js along. */
export const BUILD_ARGS = ['RUNNER=packaged', 'ALSO='];

/** The Dockerfile's text. `entry`: the file that the runner loads, relative to the package. */
export function dockerfileOf(runner: string, entry: string, hasLock: boolean): string {
  const install = hasLock ? 'ci' : 'install --no-package-lock';
  const file = posix.join(AGENT_FOLDER, entry);
  return `${runner.trimEnd()}

FROM \${BASE_IMAGE} AS agent-dependencies
WORKDIR ${AGENT_FOLDER}
COPY ${CONTEXT.manifest} ./
RUN --mount=type=secret,id=ca --mount=type=secret,id=npmrc \\
    --mount=type=cache,target=/npm-cache \\
    if [ -e /run/secrets/ca ]; then export NODE_EXTRA_CA_CERTS=/run/secrets/ca; fi; \\
    if [ -e /run/secrets/npmrc ]; then export NPM_CONFIG_USERCONFIG=/run/secrets/npmrc; fi; \\
    npm ${install} --omit=dev --no-audit --no-fund --cache /npm-cache \\
    && find node_modules -type f -regex '.*\\.\\(d\\.[cm]?ts\\|[cm]?js\\.map\\)' -delete \\
    && rm -rf node_modules/fluent-ffmpeg/coverage

FROM runner AS image
COPY --from=agent-dependencies ${AGENT_FOLDER} ${AGENT_FOLDER}
COPY ${CONTEXT.files} ${AGENT_FOLDER}
COPY ${CONTEXT.entry} ${AGENT_FOLDER}
WORKDIR ${AGENT_FOLDER}
# Made anew whenever variables are lent: their values may have changed.
ARG LENT=
RUN --mount=from=installed,source=/build/node_modules/esbuild,target=${ESBUILD}/esbuild \\
    --mount=from=installed,source=/build/node_modules/@esbuild,target=${ESBUILD}/@esbuild \\
    --mount=type=secret,id=agent-env \\
    --mount=type=tmpfs,target=/tmp --mount=type=tmpfs,target=/var/tmp \\
    AGENT_ENV_FILE=/run/secrets/agent-env node ${NODE_FLAG} ${MAKE_BUNDLE} ${JSON.stringify(file)}
USER 10001:10001
CMD ${JSON.stringify([file])}
`;
}

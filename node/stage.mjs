// Lays out what is published: the package, which is the same everywhere, and the package of this platform with its native module.
//
//   node stage.mjs FOLDER [NATIVE-MODULE]

import { cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

const here = import.meta.dirname;

/** Every platform that there is a package for. */
export const platforms = [
  { name: 'linux-x64-gnu', os: 'linux', cpu: 'x64', libc: 'glibc' },
  { name: 'linux-arm64-gnu', os: 'linux', cpu: 'arm64', libc: 'glibc' },
  { name: 'darwin-arm64', os: 'darwin', cpu: 'arm64' },
  { name: 'darwin-x64', os: 'darwin', cpu: 'x64' },
];

/** The package of the platform that this runs on. */
export const platform = platforms.find(({ os, cpu }) => os === process.platform && cpu === process.arch);

/**
 * Writes both packages into folders named `travelsense` and as the platform is.
 * @param {string} folder
 * @param {string} binary the native module
 * @param {{ link?: boolean }} [options] `link` names the module in the place of copying it
 */
export async function stage(folder, binary, { link = false } = {}) {
  if (!platform) throw new Error(`there is no package for ${process.platform}-${process.arch}`);
  const manifest = JSON.parse(await readFile(join(here, 'package.json'), 'utf8'));
  const { scripts: _scripts, devDependencies: _tools, prettier: _style, ...common } = manifest;
  const main = join(folder, 'travelsense');
  await rm(main, { recursive: true, force: true });
  await mkdir(main, { recursive: true });
  await cp(join(here, 'dist'), join(main, 'dist'), { recursive: true });
  await cp(join(here, 'README.md'), join(main, 'README.md'));
  await cp(join(here, '..', 'LICENSE'), join(main, 'LICENSE'));
  const optionalDependencies = Object.fromEntries(
    platforms.map(({ name }) => [`@travelsense/${name}`, manifest.version]),
  );
  await writeJson(join(main, 'package.json'), { ...common, optionalDependencies });

  const { name, os, cpu, libc } = platform;
  const beside = join(folder, name);
  await rm(beside, { recursive: true, force: true });
  await mkdir(beside, { recursive: true });
  await (link ? symlink : cp)(resolve(binary), join(beside, 'travelsense.node'));
  await cp(join(here, '..', 'LICENSE'), join(beside, 'LICENSE'));
  const { version, license, repository, engines } = manifest;
  await writeJson(join(beside, 'package.json'), {
    name: `@travelsense/${name}`,
    version,
    description: `The native module of travelsense for ${name}`,
    license,
    repository,
    engines,
    os: [os],
    cpu: [cpu],
    ...(libc ? { libc: [libc] } : {}),
    main: 'travelsense.node',
    files: ['travelsense.node'],
  });
  return { main, beside };
}

/**
 * @param {string} path
 * @param {object} value
 */
const writeJson = (path, value) => writeFile(path, `${JSON.stringify(value, null, 2)}\n`);

if (process.argv[1] === import.meta.filename) {
  await stage(process.argv[2] ?? 'dist', process.argv[3] ?? join(here, 'travelsense.node'));
}

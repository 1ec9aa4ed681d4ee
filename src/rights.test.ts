// A daemon that root starts keeps no right of root's: it becomes its folders' owner or refuses.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

const isRoot = process.getuid?.() === 0;
const nobody = 65_534;
let site: string;
beforeEach(() => {
  site = mkdtempSync(join(tmpdir(), 'rights-'));
  chmodSync(site, 0o755);
});
afterEach(() => rmSync(site, { recursive: true }));

function makeFolder(name: string, owner: number): void {
  mkdirSync(join(site, name), { mode: 0o700 });
  if (isRoot) chownSync(join(site, name), owner, owner);
}

/** Starts a daemon that gets as far as its private Asterisk, which nobody has set up. */
function start(): string {
  const configFile = join(site, 'gatehouse.yaml');
  const asterisk = '{ setUpFile: nowhere.json }';
  writeFileSync(configFile, `dataDir: data\nkeysDir: keys\ntelephony: { asterisk: ${asterisk} }\n`);
  const words = ['--import', 'tsx', 'src/main.ts', 'run', '--config', configFile];
  return spawnSync(process.execPath, words, { encoding: 'utf8' }).stderr;
}

it('becomes the user who owns its folders', () => {
  makeFolder('data', nobody);
  makeFolder('keys', nobody);
  expect(start()).toContain('asterisk.not-set-up');
  const { uid } = statSync(join(site, 'data/gatehouse.db'));
  expect(uid).toBe(isRoot ? nobody : process.getuid?.());
});

it.each<[string, () => void]>([
  ['are missing', () => {}],
  ['are root’s', () => ['data', 'keys'].map((name) => makeFolder(name, 0))],
  [
    'are of two users',
    () => {
      makeFolder('data', nobody);
      makeFolder('keys', 1);
    },
  ],
])('is refused to root where the folders %s', (_, make) => {
  make();
  expect(start()).toContain(isRoot ? 'main.folder-of-root' : 'asterisk.not-set-up');
});

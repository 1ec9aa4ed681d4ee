// What set-up fetched really works here: Asterisk boots without rights, SIPp makes a call.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const run = promisify(execFile);

interface AsteriskRecord {
  readonly major: number;
  readonly tree: string;
  readonly launch: readonly string[];
  readonly modules: string;
  readonly release: { readonly mode: string; readonly dateUtcMs: number };
}

function readRecord(): AsteriskRecord {
  return JSON.parse(readFileSync(join(root, '.cache/asterisk/set-up.json'), 'utf8'));
}

it('the record tells the version and how fresh the index was', () => {
  const record = readRecord();
  expect(record.major).toBeGreaterThanOrEqual(22);
  expect(['strict', 'extended']).toContain(record.release.mode);
  expect(record.release.dateUtcMs).toBeGreaterThan(Date.UTC(2025, 0, 1));
});

it('Asterisk boots with its modules, as root without any of its rights', async () => {
  const { stdout } = await run(process.execPath, [join(root, 'scripts/prove-asterisk.mjs')]);
  const seen = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  expect(seen.modules).toBeGreaterThan(300);
  expect(seen.uid).not.toBe(0);
});

it('every library of every module stands in the tree', async () => {
  const { launch, modules, tree } = readRecord();
  const [loader = '', ...args] = launch.slice(0, 4);
  const outside: string[] = [];
  for (const name of readdirSync(modules).filter((file) => file.endsWith('.so'))) {
    const { stdout } = await run(loader, [...args, '--list', join(modules, name)]);
    const lines = stdout.split('\n').filter((line) => line.includes('=>'));
    outside.push(...lines.filter((line) => !line.includes(`=> ${tree}/`)).map((l) => name + l));
  }
  expect(outside).toEqual([]);
});

it('SIPp carries a call over loopback', async () => {
  const local = ['-i', '127.0.0.1', '-ci', '127.0.0.1', '-m', '1', '-nostdin'];
  const callee = spawn('sipp', ['-sn', 'uas', '-p', '25071', '-cp', '28971', ...local], {
    stdio: 'ignore',
  });
  const ended = once(callee, 'exit');
  const caller = ['-sn', 'uac', '-p', '25072', '-cp', '28972', '-d', '50', ...local];
  await run('sipp', [...caller, '127.0.0.1:25071']);
  expect(await ended).toEqual([0, null]);
});

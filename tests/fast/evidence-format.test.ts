// docs/evidence-format.md is run as it stands: good data passes, each kind of damage is caught.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { originOf, publicKeyText, signCheckpoint } from '../../src/audit/checkpoint.ts';
import { type Entry, formLine, genesisPrev, lineHash } from '../../src/audit/entry.ts';
import { findingTable, readLine } from '../../src/audit/verify.ts';
import { verifyFolder } from '../../src/store/verify-folder.ts';
import { realDisk } from '../../src/vault/disk.ts';
import { readRecoverySheet, recoverySheet, signingKeyFrom } from '../../src/vault/keys.ts';
import { objectPath } from '../../src/vault/vault.ts';
import { rootOf } from './chains.ts';
import { buildFloor, type SealedFloor } from './sealed-floor.ts';

const page = readFileSync('docs/evidence-format.md', 'utf8');
const blocks = new Map(
  [...page.matchAll(/^```bash (\w+)\n(.*?)^```$/gms)].map(([, name = '', text = '']) => [
    name,
    text,
  ]),
);
const wholeFolder = ['chain', 'segments', 'keys', 'checkpoints', 'root', 'objects'];

const root = mkdtempSync(join(tmpdir(), 'gatehouse-format-'));
afterAll(() => rmSync(root, { recursive: true }));
let floor: SealedFloor;
beforeAll(async () => {
  floor = await buildFloor(join(root, 'honest'));
});

let data = '';
let work = '';
let rounds = 0;
beforeEach(() => {
  rounds += 1;
  data = join(root, `${rounds}`, 'data');
  work = join(root, `${rounds}`, 'work');
  mkdirSync(work, { recursive: true });
  cpSync(floor.dataFolder, data, { recursive: true });
});

function run(name: string, variables: Record<string, string> = {}) {
  const script = blocks.get(name);
  if (script === undefined) throw new Error(`no block ${name}`);
  const { status, stdout, stderr } = spawnSync('bash', ['-euo', 'pipefail', '-c', script], {
    env: { PATH: process.env.PATH, DATA: data, WORK: work, ...variables },
    encoding: 'utf8',
  });
  return { status, output: stdout + stderr };
}
/** Exactly 1 is a finding, anything else a fault of the script; checkpoints need the keys. */
function finds(name: string): boolean {
  if (name === 'checkpoints') expect(run('keys').status).toBe(0);
  const { status, output } = run(name);
  expect([0, 1], output).toContain(status);
  return status === 1;
}

const segment = (day: string) => join(data, 'ledger', `2026-11-${day}.jsonl`);
const edit = (path: string, change: (text: string) => string) =>
  writeFileSync(path, change(readFileSync(path, 'latin1')), 'latin1');
const checkpointPath = (index: number) => {
  const names = readdirSync(join(data, 'checkpoints')).filter((name) =>
    name.endsWith('.checkpoint'),
  );
  return join(data, 'checkpoints', names.at(index) ?? '');
};
const object = (index: number) => {
  const found = floor.objects[index];
  if (!found) throw new Error(`no object ${index}`);
  return found;
};
const objectFile = (index: number) => join(data, 'vault', objectPath(object(index).cipherSha256));
function spoilObject(index: number, change: (bytes: Buffer) => Buffer): void {
  chmodSync(objectFile(index), 0o600);
  writeFileSync(objectFile(index), change(readFileSync(objectFile(index))));
}
const editLine = (number: number, change: (line: string) => string) => (text: string) =>
  text
    .split('\n')
    .map((line, i) => (i === number ? change(line) : line))
    .join('\n');
const dropLines = (from: number, count: number) => (text: string) =>
  text.split('\n').toSpliced(from, count).join('\n');

/** All lines formed anew with one changed, as by an owner of the machine without the keys. */
function rewriteWhole(change: (entry: Entry) => Entry): void {
  let prev = genesisPrev;
  for (const name of readdirSync(join(data, 'ledger'))) {
    const lines = readFileSync(join(data, 'ledger', name), 'utf8')
      .trimEnd()
      .split('\n');
    const rewritten = lines.map((line) => {
      const record = readLine(line)?.record;
      if (!record) throw new Error('no line');
      const { seq, atUtcMs, ...entry } = record;
      const formed = formLine(prev, seq, atUtcMs, change(entry));
      prev = lineHash(formed);
      return formed;
    });
    writeFileSync(join(data, 'ledger', name), `${rewritten.join('\n')}\n`);
  }
}

const renamed = (from: string, to: string) => (entry: Entry) =>
  entry.what === from ? { ...entry, what: to } : entry;
const otherSignature = (entry: Entry) =>
  entry.what === 'signing-key-rotated'
    ? { ...entry, facts: { ...entry.facts, signature: Buffer.alloc(64, 3).toString('base64') } }
    : entry;

describe('the blocks for a whole folder', () => {
  it('are all the blocks there are, with those for one thing', () => {
    expect([...blocks.keys()].sort()).toEqual([...wholeFolder, 'inclusion', 'open'].sort());
  });

  it('find nothing in honest data, and say what they saw', () => {
    const { length } = floor.table.held;
    const said = wholeFolder.map((name) => run(name));
    expect(said.map(({ status, output }) => [status, status === 0 ? '' : output])).toEqual(
      wholeFolder.map(() => [0, '']),
    );
    expect(said[0]?.output).toContain(`${length} lines, head ${floor.table.head().hash}`);
    expect(said[1]?.output).toContain('2026-11-22.jsonl: OK');
    expect(said[2]?.output.match(/^\d+ \S{44}$/gm)).toHaveLength(2);
    expect(said[2]?.output).toContain(`1 ${floor.firstKey}`);
    expect(said[4]?.output.match(/as signed/g)).toHaveLength(3);
    expect(said[5]?.output.match(/: OK/g)).toHaveLength(3);
  });

  it.each<[string, () => void, string]>([
    [
      'an edited fact',
      () => edit(segment('22'), (text) => text.replace('"ringMs":', '"ringMs":1')),
      'chain',
    ],
    ['a deleted line', () => edit(segment('22'), dropLines(3, 1)), 'chain'],
    [
      'an inserted line',
      () => edit(segment('22'), (text) => text.replace(/\n/, `\n${text.split('\n')[1]}\n`)),
      'chain',
    ],
    [
      'swapped lines',
      () =>
        edit(segment('22'), (text) =>
          text
            .split('\n')
            .with(3, text.split('\n')[4] ?? '')
            .with(4, text.split('\n')[3] ?? '')
            .join('\n'),
        ),
      'chain',
    ],
    [
      'a wrong number',
      () =>
        edit(segment('25'), (text) =>
          text.replace(/,"seq":(\d+),("what":"[a-z-]+","who":"[a-z]+"\}\}\n)$/, ',"seq":1$1,$2'),
        ),
      'chain',
    ],
    [
      'a NUL byte',
      () =>
        edit(
          segment('22'),
          editLine(3, (line) => line.replace('"room"', '\0"room"')),
        ),
      'chain',
    ],
    [
      'a letter that is no ASCII',
      () =>
        edit(
          segment('25'),
          editLine(0, (line) => line.replace('system', 'syst\xe9m')),
        ),
      'chain',
    ],
    ['a torn line', () => edit(segment('25'), (text) => text.slice(0, -40)), 'chain'],
    ['a lost segment', () => rmSync(segment('23')), 'chain'],
    ['a lost first segment', () => rmSync(segment('22')), 'chain'],
    ['a cut tail', () => edit(segment('25'), (text) => `${text.split('\n')[0]}\n`), 'root'],
    [
      'an edited last line',
      () =>
        edit(
          segment('25'),
          editLine(2, (line) => line.replace('61250', '61251')),
        ),
      'chain',
    ],
    [
      'a ledger formed anew',
      () => rewriteWhole(renamed('call-answered', 'call-missed')),
      'segments',
    ],
    ['a ledger formed anew', () => rewriteWhole(renamed('call-answered', 'call-missed')), 'root'],
    ['a lost statement', () => rewriteWhole(renamed('segment-closed', 'segment-open')), 'segments'],
    ['a rotation nobody signed', () => rewriteWhole(otherSignature), 'keys'],
    ['a rotation from no key', () => rewriteWhole(renamed('ledger-started', 'started')), 'keys'],
    [
      'an edited size',
      () => edit(checkpointPath(0), (text) => text.replace(/\n\d+\n/, '\n9\n')),
      'checkpoints',
    ],
    [
      'an edited root',
      () =>
        edit(checkpointPath(0), (text) => text.replace(/\n[A-Za-z0-9]{2}(.{42})\n/, '\nAA$1\n')),
      'checkpoints',
    ],
    [
      'another origin',
      () => edit(checkpointPath(0), (text) => text.replaceAll('gatehouse/', 'another/')),
      'checkpoints',
    ],
    ['a lost checkpoint', () => rmSync(checkpointPath(0)), 'checkpoints'],
    [
      'a checkpoint without signature',
      () => edit(checkpointPath(0), (text) => `${text.split('\n\n')[0]}\n\n`),
      'checkpoints',
    ],
    [
      'a flipped bit in an object',
      () =>
        spoilObject(1, (bytes) => {
          bytes[9] = (bytes[9] ?? 0) ^ 8;
          return bytes;
        }),
      'objects',
    ],
    ['a cut object', () => spoilObject(2, (bytes) => bytes.subarray(1)), 'objects'],
    ['a lost object', () => rmSync(objectFile(3)), 'objects'],
    ['an erased object that is back', () => cpSync(objectFile(1), objectFile(0)), 'objects'],
  ])('find %s', (_name, spoil, block) => {
    spoil();
    expect(finds(block)).toBe(true);
  });

  it('find a checkpoint of a rewritten ledger signed by another key', () => {
    const key = signingKeyFrom(Buffer.alloc(32, 5));
    const { held } = floor.table;
    const tree = { origin: originOf(floor.siteId), size: held.length, root: rootOf(held) };
    const name = `${`${held.length}`.padStart(12, '0')}.checkpoint`;
    writeFileSync(join(data, 'checkpoints', name), signCheckpoint(tree, key));
    expect(finds('checkpoints')).toBe(true);
    expect(publicKeyText(key)).not.toBe(floor.secondKey);
  });
});

describe('the block for one line', () => {
  const files = () => ({
    line: join(work, 'line'),
    proof: join(work, 'proof'),
    checkpoint: checkpointPath(-1),
  });
  function inclusion(line: string, seq: number, proof: readonly string[]) {
    const { line: LINE, proof: PROOF, checkpoint: CHECKPOINT } = files();
    writeFileSync(LINE, `${line}\n`);
    writeFileSync(PROOF, proof.map((hash) => `${hash}\n`).join(''));
    return run('inclusion', { LINE, PROOF, CHECKPOINT, SEQ: `${seq}` }).status;
  }
  async function provedLines(item: string) {
    const { item: lines } = await verifyFolder({ disk: realDisk, dataFolder: data, item });
    return lines;
  }

  it('shows each line to be in the signed tree, and no other line, number or proof', async () => {
    let checked = 0;
    for (const item of [floor.siteId, object(3).objectId]) {
      for (const { seq, line, proof } of (await provedLines(item)).slice(0, 2)) {
        if (proof === undefined) continue;
        checked += 1;
        expect(inclusion(line, seq, proof)).toBe(0);
        expect(inclusion(`${line} `, seq, proof)).toBe(1);
        expect(inclusion(line, seq + 1, proof)).toBe(1);
        expect(inclusion(line, seq, proof.slice(1))).toBe(1);
        expect(inclusion(line, seq, proof.with(0, 'ab'.repeat(32)))).toBe(1);
      }
    }
    expect(checked).toBe(3);
  });
});

describe('the block for one object', () => {
  const master = () => readFileSync(join(floor.keysFolder, 'master.key'), 'utf8').trim();
  const variables = () => ({
    MASTER: master(),
    WRAPPED: object(1).wrappedKey,
    IV: object(1).iv,
    OBJECT: objectFile(1),
    PLAIN_SHA256: object(1).plainSha256,
  });

  it('opens it with the master key, and gives the very file that was sealed', () => {
    expect(run('open', variables())).toMatchObject({ status: 0 });
    expect(readFileSync(join(work, 'plain')).equals(object(1).plain)).toBe(true);
  });

  it('does so with the key that a person typed from the recovery sheet', () => {
    const sheet = recoverySheet(Buffer.from(master(), 'hex'), floor.siteId);
    const reading = readRecoverySheet(sheet);
    if (!reading.read) throw new Error('sheet not read');
    // By the page alone: four lines, four groups each before the check.
    const typed = [...sheet.matchAll(/^ {2}\d: {2}(.*) {2}\/ {2}(\w{4})$/gm)].map(
      ([, groups = '', check], i) => {
        const hex = groups.replaceAll(' ', '');
        const sum = createHash('sha256')
          .update(`${i + 1}:${hex}`)
          .digest('hex');
        expect(check).toBe(sum.slice(0, 4));
        return hex;
      },
    );
    expect(typed.join('')).toBe(reading.master.toString('hex'));
    expect(run('open', { ...variables(), MASTER: typed.join('') }).status).toBe(0);
  });

  it.each<[string, () => Record<string, string>]>([
    ['another master key', () => ({ MASTER: 'ab'.repeat(32) })],
    [
      'a changed wrapped key',
      () => ({
        WRAPPED: object(1)
          .wrappedKey.replace(/^../, 'zz')
          .replace('zz', object(1).wrappedKey.startsWith('00') ? '01' : '00'),
      }),
    ],
    ['the key of another object', () => ({ WRAPPED: object(2).wrappedKey })],
    ['another counter', () => ({ IV: object(2).iv })],
    ['another file', () => ({ OBJECT: objectFile(2) })],
  ])('refuses %s', (_name, changed) => {
    expect(run('open', { ...variables(), ...changed() }).status).toBe(1);
  });
});

describe('the page', () => {
  it('lists every finding with its kind and meaning, and no other', () => {
    const listed = [...page.matchAll(/^\| `([a-z-]+)` \| (fault|note) \| (.*) \|$/gm)].map(
      ([, code, kind, text]) => [code, kind, text],
    );
    const known = Object.entries(findingTable).map(([code, [kind, text]]) => [code, kind, text]);
    expect(listed).toEqual(known);
  });

  it('shows a line as it is formed', () => {
    const line = floor.table.held[3] ?? '';
    expect(line).toMatch(/^\{"prev":"[0-9a-f]{64}","rec":\{.*\}\}$/);
    const keys = Object.keys(JSON.parse(line).rec);
    const rows = [...page.matchAll(/^\| `(\w+)` \| (?:id|integer|object|kebab)/gm)].map(
      ([, key]) => key,
    );
    expect(rows).toEqual(['about', 'atUtcMs', 'facts', 'room', 'seq', 'what', 'who', 'why']);
    for (const key of keys) expect(rows).toContain(key);
  });
});

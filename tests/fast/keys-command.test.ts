// Keys put back and renewed by hand: what docs/errors.md promises for a lost key comes true.
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readLine } from '../../src/audit/verify.ts';
import { realClock } from '../../src/clock.ts';
import { loadConfig } from '../../src/config.ts';
import type { Config } from '../../src/config-schema.ts';
import { realIds } from '../../src/ids.ts';
import { type KeysAction, runKeys } from '../../src/keys-command.ts';
import { openHouse } from '../../src/real-world.ts';
import { keysInForce, openAccount } from '../../src/store/account.ts';
import { verifyFolder } from '../../src/store/verify-folder.ts';
import { realDisk } from '../../src/vault/disk.ts';
import { openSiteKeys, recoverySheet, writeRecoverySheet } from '../../src/vault/keys.ts';

let root = '';
let config: Config;
let sheet = '';
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'gatehouse-keys-'));
  config = {
    ...loadConfig(undefined),
    dataDir: join(root, 'data'),
    keysDir: join(root, 'keys'),
  };
  sheet = (await start()).sheet;
});
afterEach(() => rmSync(root, { recursive: true }));

/** What a start of the daemon does with keys, ledger and checkpoints, and then its end. */
async function start() {
  const { store, close } = openHouse(config, realClock);
  try {
    const inForce = keysInForce(store);
    const { dataDir, keysDir } = config;
    const opened = openSiteKeys(keysDir, realIds, inForce?.signingKey, inForce?.keyId);
    if (!opened.opened) throw new Error(opened.fault);
    const { keys, signingKey } = opened;
    const account = openAccount({
      ...{ store, disk: realDisk, clock: realClock, ids: realIds, dataDir, signingKey },
      ...{ keyId: keys.keyId, everyMs: 3_600_000, failed: (cause) => expect.fail(String(cause)) },
    });
    await account.checkpoint();
    await account.end();
    const said = [...store.lines(1, 100)].map((line) => readLine(line)?.record.what);
    return { sheet: opened.sheet(account.siteId), said };
  } finally {
    close();
  }
}
async function keys(action: KeysAction, typed = sheet) {
  let said = '';
  const say = (text: string) => {
    said += text;
  };
  expect(await runKeys(action, config, async () => typed, say)).toBe(0);
  return said;
}
const inForce = () => {
  const { store, close } = openHouse(config, realClock);
  const key = keysInForce(store)?.signingKey ?? '';
  close();
  return key;
};
const signingFile = (publicKey: string) => {
  const digest = createHash('sha256').update(Buffer.from(publicKey, 'base64')).digest('hex');
  return `signing-${digest.slice(0, 32)}.key`;
};
const masterFile = () => join(config.keysDir, 'master.key');
const verify = (trustedKey: string) =>
  verifyFolder({ disk: realDisk, dataFolder: config.dataDir, trustedKey });

describe('gatehouse keys restore', () => {
  it('puts the lost master key back from the sheet, and says so in the ledger', async () => {
    const master = readFileSync(masterFile(), 'utf8');
    rmSync(masterFile());
    await expect(start()).rejects.toThrow('key-lost');
    expect(await keys('restore', sheet.toUpperCase())).toContain('is back');
    expect(readFileSync(masterFile(), 'utf8')).toBe(master);
    expect((await start()).said).toContain('master-key-restored');
  });

  it('refuses a sheet with wrong lines, one of another site, and a key that is there', async () => {
    await expect(keys('restore')).rejects.toMatchObject({ code: 'keys.key-present' });
    rmSync(masterFile());
    const wrong = sheet.replace(/^ {2}3:.*$/m, '  3:  0000');
    const named = { code: 'keys.sheet-wrong', message: expect.stringContaining('line 3') };
    await expect(keys('restore', wrong)).rejects.toMatchObject(named);
    const foreign = recoverySheet(realIds.bytes(32), 'site-a');
    await expect(keys('restore', foreign)).rejects.toMatchObject({ code: 'keys.key-foreign' });
    await expect(start()).rejects.toThrow('key-lost');
  });
});

describe('gatehouse keys rotate and replace', () => {
  it('pass signing on, so that the verifier of the old key accepts the new one', async () => {
    const first = inForce();
    const said = await keys('rotate');
    const second = inForce();
    expect(second).not.toBe(first);
    expect(said).toContain(second);
    expect((await start()).said).toContain('signing-key-rotated');
    expect(await verify(first)).toMatchObject({ faults: 0, validCheckpoints: 2 });

    await expect(keys('replace')).rejects.toMatchObject({ code: 'keys.key-present' });
    rmSync(join(config.keysDir, signingFile(second)));
    await expect(start()).rejects.toThrow('key-lost');
    await expect(keys('rotate')).rejects.toMatchObject({ code: 'keys.key-lost' });
    await keys('replace');
    expect((await start()).said).toContain('signing-key-replaced');
    const report = await verify(inForce());
    expect([...report.counts.keys()]).toEqual(['key-replaced']);
    expect((await verify(second)).counts.get('key-foreign')).toBe(1);
  });

  it('leave a missing master key to restore', async () => {
    rmSync(masterFile());
    await expect(keys('replace')).rejects.toMatchObject({ code: 'keys.key-lost' });
    await expect(keys('rotate')).rejects.toMatchObject({ code: 'keys.key-lost' });
  });
});

describe('every keys command', () => {
  it('is refused beside a daemon, and where no ledger was begun', async () => {
    const daemon = openHouse(config, realClock);
    await expect(keys('rotate')).rejects.toMatchObject({ code: 'store.locked' });
    daemon.close();
    config = { ...config, dataDir: join(root, 'elsewhere') };
    await expect(keys('rotate')).rejects.toMatchObject({ code: 'keys.not-begun' });
  });
});

describe('the recovery sheet', () => {
  it('is a file for the owner alone, made whole also over one a crash left', () => {
    writeFileSync(join(config.keysDir, 'recovery-sheet.txt'), 'old', { mode: 0o644 });
    const file = writeRecoverySheet(config.keysDir, sheet);
    expect(readFileSync(file, 'utf8')).toBe(sheet);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });
});

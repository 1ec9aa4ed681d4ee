// `gatehouse keys`: puts a lost master key back, and renews the signing key, while no daemon runs.
import { existsSync } from 'node:fs';
import { publicKeyText, signingKeyReplaced, signingKeyRotated } from './audit/checkpoint.ts';
import type { Entry } from './audit/entry.ts';
import { realClock } from './clock.ts';
import { foldersOf } from './config.ts';
import type { Config } from './config-schema.ts';
import { FloorError } from './errors.ts';
import { realIds } from './ids.ts';
import { openHouse } from './real-world.ts';
import { keysInForce } from './store/account.ts';
import type { Store } from './store/commit.ts';
import {
  addSigningKey,
  hasMasterKey,
  openSiteKeys,
  readRecoverySheet,
  restoreMasterKey,
  siteKeysFrom,
} from './vault/keys.ts';

export type KeysAction = 'restore' | 'rotate' | 'replace';

interface Parts {
  store: Store;
  keysDir: string;
  account: NonNullable<ReturnType<typeof keysInForce>>;
  say(text: string): void;
}

/**
 * Runs one action; resolves to the exit code. Takes the data folder's lock, so that it is refused
 * with `store.locked` beside a daemon, which would go on with the keys that it holds in memory.
 * `readSheet` gives what a person typed; it is asked for only to restore.
 */
export async function runKeys(
  action: KeysAction,
  config: Config,
  readSheet: () => Promise<string>,
  say: (text: string) => void,
): Promise<number> {
  if (!existsSync(foldersOf(config).database)) throw new FloorError('keys.not-begun');
  const { store, close } = openHouse(config, realClock);
  try {
    const account = keysInForce(store);
    if (account === undefined) throw new FloorError('keys.not-begun');
    const parts = { store, keysDir: config.keysDir, account, say };
    if (action === 'restore') await restore(parts, readSheet);
    else if (action === 'rotate') rotate(parts);
    else replace(parts);
    return 0;
  } finally {
    close();
  }
}

async function restore({ store, keysDir, account, say }: Parts, readSheet: () => Promise<string>) {
  if (hasMasterKey(keysDir)) throw new FloorError('keys.key-present', 'master.key');
  say('Type the four lines of the recovery sheet, then Ctrl-D.\n');
  const reading = readRecoverySheet(await readSheet());
  if (!reading.read) {
    const lines = reading.wrongLines.join(', ');
    throw new FloorError('keys.sheet-wrong', `wrong or missing: line ${lines}`);
  }
  const { master } = reading;
  const { keyId } = siteKeysFrom(master);
  if (account.keyId !== undefined && keyId !== account.keyId) {
    throw new FloorError('keys.key-foreign', 'recovery sheet');
  }
  const { siteId } = account;
  const entry = { room: 'audit', what: 'master-key-restored', who: 'system', about: siteId };
  store.commit({ room: 'audit', entries: [{ ...entry, facts: { keyId } }], changes: [] });
  restoreMasterKey(keysDir, master);
  say('The master key is back. Start the daemon, and lock the sheet away again.\n');
}

function rotate(parts: Parts): void {
  const { keysDir, account } = parts;
  const opened = openSiteKeys(keysDir, realIds, account.signingKey, account.keyId);
  if (!opened.opened) throw new FloorError(`keys.${opened.fault}`, opened.place);
  bringIn(parts, (key) => signingKeyRotated(account.siteId, 'system', opened.signingKey, key));
}

function replace(parts: Parts): void {
  const { keysDir, account } = parts;
  const opened = openSiteKeys(keysDir, realIds, account.signingKey, account.keyId);
  // Whoever holds the old key can show that the new one follows from it, and has to.
  if (opened.opened) throw new FloorError('keys.key-present', publicKeyText(opened.signingKey));
  const isLost = opened.fault === 'key-lost' || opened.fault === 'key-unreadable';
  if (!isLost || opened.place.endsWith('master.key')) {
    throw new FloorError(`keys.${opened.fault}`, opened.place);
  }
  bringIn(parts, (key) => signingKeyReplaced(account.siteId, 'system', key));
}

// The file comes first: a crash before the entry leaves one that nothing names.
function bringIn({ store, keysDir, account, say }: Parts, entryOf: (key: string) => Entry): void {
  const signingKey = addSigningKey(keysDir, realIds);
  const row = { ...account, id: 'head', signingKey };
  const changes = [{ table: 'Account', id: row.id, row }];
  store.commit({ room: 'audit', entries: [entryOf(signingKey)], changes });
  say(`The signing key is now ${signingKey}\nGive it to whoever checks your checkpoints.\n`);
}

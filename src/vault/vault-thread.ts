// The vault as the daemon opens it: what is written goes through a thread of its own.
import type { Ids } from '../ids.ts';
import { AskedThread } from '../worker-thread.ts';
import type { Disk } from './disk.ts';
import { siteKeysFrom } from './keys.ts';
import { openVault, type Vault } from './vault.ts';
import type { FromVault, ToVault, VaultSetting } from './vault-worker.ts';

/** Sealing one file takes two dozen calls of the disk, none of which the loop has to see. */
export interface ThreadedVault extends Vault {
  close(): Promise<void>;
}

/** `master` is the site's master key: 32 bytes. */
export function openThreadedVault(
  folder: string,
  master: Buffer,
  disk: Disk,
  ids: Ids,
): ThreadedVault {
  const vault = openVault(folder, siteKeysFrom(master), disk, ids);
  const setting: VaultSetting = { folder, master };
  const thread = new AskedThread<ToVault, FromVault>('vault-worker', import.meta.url, setting);
  return {
    ...vault,
    async seal(sourcePath) {
      const answer = await thread.ask((number) => ({ number, seal: sourcePath })).answer;
      if ('sealed' in answer) return answer;
      const cause = 'died' in answer ? answer.died : 'no answer';
      return { sealed: false, reason: 'disk-failed', cause };
    },
    async settle(objectId) {
      const answer = await thread.ask((number) => ({ number, settle: objectId })).answer;
      if ('settled' in answer && answer.settled) return;
      throw new Error('cause' in answer ? String(answer.cause) : 'the vault thread ended');
    },
    close: () => thread.close(),
  };
}

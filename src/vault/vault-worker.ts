// The thread in which files are sealed into the vault, beside the loop of the daemon.
import { parentPort, workerData } from 'node:worker_threads';
import { realIds } from '../ids.ts';
import { type Answer, giveWay } from '../worker-thread.ts';
import { siteKeysFrom } from './keys.ts';
import { syncDisk } from './sync-disk.ts';
import { openVault, type SealOutcome } from './vault.ts';

export interface VaultSetting {
  folder: string;
  master: Uint8Array;
}
export type ToVault = { number: number } & ({ seal: string } | { settle: string });
export type FromVault = SealOutcome | { settled: true } | { settled: false; cause: string };

const { folder, master } = workerData as VaultSetting;
const vault = openVault(folder, siteKeysFrom(Buffer.from(master)), syncDisk, realIds);
giveWay('vault');

parentPort?.on('message', async (order: ToVault) => {
  const answer = await ('seal' in order ? seal(order.seal) : settle(order.settle));
  parentPort?.postMessage({ number: order.number, answer } satisfies Answer<FromVault>);
});

async function seal(path: string): Promise<SealOutcome> {
  const outcome = await vault.seal(path);
  // An error loses its code on its way between threads; what is left of it is for the log.
  return outcome.sealed ? outcome : { ...outcome, cause: String(outcome.cause) };
}

async function settle(objectId: string): Promise<FromVault> {
  try {
    await vault.settle(objectId);
    return { settled: true };
  } catch (cause) {
    return { settled: false, cause: String(cause) };
  }
}

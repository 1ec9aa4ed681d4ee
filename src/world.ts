// Everything outside the program as one type: the real world builds it, and so does the simulation.

import type { ContactPolicy } from './cases/contact-policy.ts';
import type { ListSettings } from './cases/lists/intake.ts';
import type { CaseStore } from './cases/working-set.ts';
import type { Clock } from './clock.ts';
import type { Ids } from './ids.ts';
import type { Committer } from './room.ts';
import type { PhoneSystem } from './telephony/phone-system.ts';
import type { RecordingLimits } from './telephony/recording.ts';
import type { Recordings } from './telephony/recordings.ts';

export interface World {
  clock: Clock;
  ids: Ids;
  committer: Committer;
  caseStore: CaseStore;
  phone: PhoneSystem;
  recordings: Recordings;
  /** The vault is told that an object's record is durable. */
  settleObject(objectId: string): Promise<void>;
  /** Removes an object whose key is destroyed. */
  eraseObject(cipherSha256: string): Promise<void>;
  /** What the site decided: rules of contact, room for recordings, what an agent's record shows. */
  policy: ContactPolicy;
  lists: ListSettings;
  /** HMAC with the site's key: what stands in ledger and counters for a number or a person. */
  digest(kind: 'person' | 'number' | 'reference', text: string): string;
  limits: RecordingLimits;
  requirements: readonly string[];
  /** A port threw: an effect's outcome is unknown. For the log. */
  report(effectKind: string, cause: unknown): void;
  /** A programmer error or a failed commit: the process ends, and recovers when it starts again. */
  stop(cause: unknown): void;
}

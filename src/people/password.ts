// Passwords: which are good enough, and their argon2id hashes; the only importer of argon2.
import { hash, verify } from '@node-rs/argon2';
import { FloorError } from '../errors.ts';

export const minPasswordChars = 12;
export const maxPasswordChars = 128;

// OWASP ASVS 5.0 section 11.4.2 and appendix C: argon2id, 46 MiB, one pass, one lane.
const cost = { memoryCost: 46 * 1024, timeCost: 1, parallelism: 1 };
/** Hashes made at the same time: each takes a core for about 17 ms and 46 MiB. */
export const parallelHashes = 2;
/** Hashes that may wait; about half a second of work. */
export const waitingHashes = 64;
const fewDistinctChars = 5;
/** A shorter login stands in good passwords by chance. */
const shortestTellingLogin = 4;

/**
 * Why a password is refused, or undefined. Length counts, composition does not (ASVS 6.2); what a
 * guesser tries first is refused: the login itself, one character or a row of them.
 */
export function passwordProblem(password: string, login: string): string | undefined {
  const chars = [...password];
  if (chars.length < minPasswordChars) return 'password-too-short';
  if (chars.length > maxPasswordChars) return 'password-too-long';
  const plain = password.toLowerCase();
  const named = login.length >= shortestTellingLogin && plain.includes(login);
  if (named || plain.includes('gatehouse')) return 'password-guessable';
  const codes = chars.map((char) => char.codePointAt(0) ?? 0);
  const steps = new Set(codes.slice(1).map((code, i) => code - (codes[i] ?? 0)));
  if (new Set(chars).size < fewDistinctChars || steps.size <= 2) return 'password-guessable';
  return undefined;
}

export interface Passwords {
  /** PHC text of a new hash. Throws people.password-queue-full. */
  hash(password: string): Promise<string>;
  /** Whether the password has this hash; an unknown person's is compared all the same. */
  verify(phc: string | undefined, password: string): Promise<boolean>;
}

/**
 * Hashes outside the event loop, few at a time: whoever floods the login waits in this queue, and
 * everybody else's requests pass by it.
 */
export function openPasswords(): Passwords {
  let running = 0;
  const waiting: (() => void)[] = [];

  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    if (running >= parallelHashes) {
      if (waiting.length >= waitingHashes) throw new FloorError('people.password-queue-full');
      // Whoever ends hands over its place, so `running` stays as it is.
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else running += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };

  // Made once, of a password nobody has: an unknown login must take as long as a wrong password.
  let nobody: Promise<string> | undefined;
  return {
    hash: (password) => inTurn(() => hash(password, cost)),
    async verify(phc, password) {
      if (phc !== undefined) return inTurn(() => verify(phc, password));
      nobody ??= hash('nobody has this password', cost);
      const dummy = await nobody;
      await inTurn(() => verify(dummy, password));
      return false;
    },
  };
}

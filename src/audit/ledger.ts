// The ledger as the audit side reads it; who writes it is src/store/commit.ts alone.

/** The last line: its sequence number (0 while there is none) and its hash, the next `prev`. */
export interface LedgerHead {
  seq: number;
  hash: string;
}

/** Reads lines by sequence number, which starts at 1 and has no gaps. */
export interface LedgerReader {
  head(): LedgerHead;
  /** At most `limit` lines from `fromSeq` on, in order, exact bytes, without their newlines. */
  lines(fromSeq: number, limit: number): Iterable<string>;
}

// The log of the process: a fixed message, fields beside it, and nothing that names a person.
import { pino } from 'pino';
import type { Clock } from './clock.ts';
import { redact, redactText } from './redact.ts';

/** Fields beside a message; an error stands under `cause`. */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * `message` is fixed text, so that lines can be counted and searched; what varies stands in the
 * fields. Messages and fields are redacted here, so that no caller has to think of it.
 */
export interface Log {
  info(message: string, fields?: LogFields): void;
  /** Something is wrong that the program deals with by itself. */
  warn(message: string, fields?: LogFields): void;
  /** A person has to act. */
  error(message: string, fields?: LogFields): void;
}

/** Syslog priorities, which journald reads from the start of a line (sd-daemon(3)). */
const priority: Record<string, string> = { info: '<6>', warn: '<4>', error: '<3>' };

/**
 * Opens the log: JSON lines on standard output, with a syslog priority before each when systemd's
 * journal reads them. `write` takes the lines elsewhere, for tests and for the demo's terminal.
 */
export function openLog(clock: Clock, write?: (line: string) => void): Log {
  const toJournal = write === undefined && process.env.JOURNAL_STREAM !== undefined;
  const sink = write ?? ((line: string) => void process.stdout.write(line));
  const log = pino(
    {
      base: null,
      messageKey: 'message',
      // Beside the line's own keys a field may bear any name.
      nestedKey: 'fields',
      formatters: { level: (level) => ({ level }) },
      timestamp: () => `,"atUtcMs":${clock.utcMs()}`,
    },
    {
      write(line: string) {
        const level = /^\{"level":"(\w+)"/.exec(line)?.[1] ?? 'info';
        sink(toJournal ? `${priority[level] ?? ''}${line}` : line);
      },
    },
  );
  const at = (level: 'info' | 'warn' | 'error') => (message: string, fields?: LogFields) =>
    log[level](redact(fields ?? {}), redactText(message));
  return { info: at('info'), warn: at('warn'), error: at('error') };
}

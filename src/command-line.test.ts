// The command line as a table: what is read, and that nothing asked for is ever passed over.
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { type Commands, readCommandLine } from './command-line.ts';
import { FloorError } from './errors.ts';

const run = async () => 0;
const commands: Commands = {
  run: { options: ['config'], run },
  demo: { flags: ['stay'], run },
  verify: { words: ['FOLDER'], options: ['item', 'key'], run },
  'config check': { options: ['config'], run },
  help: { run },
};
const read = (typed: string) => readCommandLine(commands, typed.split(' '));
function refusal(typed: string): string {
  try {
    read(typed);
  } catch (cause) {
    if (cause instanceof FloorError && cause.code === 'main.usage') return cause.message;
    throw cause;
  }
  return '';
}

describe('a command line', () => {
  it.each([
    ['verify D', 'verify', { words: ['D'], options: {} }],
    ['verify --item x D', 'verify', { words: ['D'], options: { item: 'x' } }],
    ['verify D --item=x --key K', 'verify', { words: ['D'], options: { item: 'x', key: 'K' } }],
    ['verify D --key=a=b', 'verify', { words: ['D'], options: { key: 'a=b' } }],
    ['verify --key=-k D', 'verify', { words: ['D'], options: { key: '-k' } }],
    ['verify -- --odd', 'verify', { words: ['--odd'], options: {} }],
    ['config check --config=F', 'config check', { words: [], options: { config: 'F' } }],
    ['demo --stay', 'demo', { flags: new Set(['stay']) }],
    ['demo', 'demo', { flags: new Set() }],
  ])('%s', (typed, name, given) => {
    const found = read(typed);
    expect(found.command).toBe(commands[name]);
    expect(found.given).toMatchObject(given);
  });

  it.each([
    ['', 'no command ""'],
    ['konfig check', 'no command "konfig check"'],
    ['config', 'no command "config"'],
    ['toString', 'no command "toString"'],
    ['verify', '"verify" needs FOLDER'],
    ['verify D E', '"verify" does not take "E"'],
    ['help me', '"help" does not take "me"'],
    ['verify D --checkpoint F', 'no option --checkpoint; its options are: --item, --key'],
    ['verify D --chekpoint=F', 'no option --chekpoint'],
    ['verify D --no-item', 'no option --no-item'],
    ['verify D -k F', 'no option -k'],
    ['verify D --key', '--key has no value'],
    ['verify D --key=', '--key has no value'],
    ['verify D --key --item x', '--key has no value'],
    ['verify D --key a --key=b', '--key stands there twice'],
    ['demo --stay=no', '--stay takes no value'],
    ['help --stay', 'its options are: none'],
  ])('refuses "%s" and says why', (typed, why) => {
    expect(refusal(typed)).toContain(why);
    expect(refusal(typed)).toContain('"gatehouse help" shows them all');
  });

  it.each([
    ['config check --config=missing.yaml', 1, 'config.unreadable'],
    ['config check --konfig missing.yaml', 2, 'main.usage'],
  ])('%s ends with %i', (typed, status, code) => {
    const given = ['--import', 'tsx', 'src/main.ts', ...typed.split(' ')];
    const ended = spawnSync(process.execPath, given, { encoding: 'utf8' });
    expect(ended.status, ended.stderr).toBe(status);
    expect(ended.stderr).toContain(code);
  });
});
